# SPDX-License-Identifier: Apache-2.0
"""Breaks rules in the code, one at a time, and demands that the test that is named beside each fails.

check_mutants.py [--folder FOLDER] [NAME...]  all mutants, or those named, in a copy of the tree (FOLDER, by default
                                              build-mutants, is kept, so that a second run builds little)
check_mutants.py --lint                       only whether the lists fit the code and the tests

The lists are the .toml files beside this one.

Exit status 0 where every mutant was noticed, or nothing is wrong with the lists.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lint"))
import tree  # noqa: E402

FIELDS = {"name", "file", "rule", "find", "replace", "program", "test"}
ENGINE = ".deps/litert/libLiteRt.so"


def load(folder):
    """The mutants of all lists in a folder."""
    mutants = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".toml"):
            with open(os.path.join(folder, name), "rb") as file:
                mutants += tomllib.load(file).get("mutant", [])
    return mutants


# ---- The lists against the code ----


def problems_of(mutants, root):
    """One line for each thing that is wrong with the lists."""
    if not mutants:
        return ["the lists are empty"]
    sources = [tree.read(root, path) or "" for path in tree.files(root, ["tests"]) if path.endswith(".cpp")]
    names, problems = set(), []
    for mutant in mutants:
        name = mutant.get("name", "?")
        if set(mutant) != FIELDS:
            problems.append(f"{name}: expected exactly {', '.join(sorted(FIELDS))}; got {', '.join(sorted(mutant))}")
            continue
        if name in names:
            problems.append(f"{name} stands twice in the lists")
        names.add(name)
        if mutant["find"] == mutant["replace"]:
            problems.append(f"{name}: 'replace' is 'find': nothing is broken")
        path = os.path.join(root, mutant["file"])
        count = tree.read(root, mutant["file"]).count(mutant["find"]) if os.path.isfile(path) else 0
        if count != 1:
            problems.append(f"{name}: 'find' occurs {count} times in {mutant['file']}, expected once: where the code "
                            "has changed, write the rule's line as it stands now")
        suite, _, case = mutant["test"].partition(".")
        definition = re.compile(rf"\bTEST(_F|_P)?\(\s*{re.escape(suite)},\s*{re.escape(case)}\)")
        if not any(definition.search(text) for text in sources):
            problems.append(f"{name}: no file in tests/ defines the test {mutant['test']}")
    return problems


# ---- The code against the tests ----


def synchronise(root, copy):
    """Makes `copy` the tree of `root`, and leaves files alone that are the same already, so that they are not rebuilt."""
    wanted = tree.files(root)
    for path in wanted:
        source, target = os.path.join(root, path), os.path.join(copy, path)
        if os.path.isfile(target):
            with open(source, "rb") as new, open(target, "rb") as old:
                if new.read() == old.read():
                    continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(source, target)
    for path in set(tree.files(copy)) - set(wanted):
        os.remove(os.path.join(copy, path))


class Build:
    """A build of the copy. What the tests need beside it (engine, network) is that of the tree."""

    def __init__(self, root, folder):
        self.copy = os.path.join(folder, "tree")
        self.folder = os.path.join(folder, "build")
        os.makedirs(self.copy, exist_ok=True)
        synchronise(root, self.copy)
        downloads = os.path.join(self.copy, ".deps")
        if not os.path.lexists(downloads):
            os.symlink(os.path.join(root, ".deps"), downloads)
        if not os.path.isfile(os.path.join(self.folder, "build.ninja")):
            engine = f"-Dlitert_library={os.path.join(root, ENGINE)}"
            subprocess.run(["meson", "setup", self.folder, self.copy, engine], check=True, stdout=subprocess.DEVNULL)
        self.tests = {test["name"]: test for test in self.information("tests")}
        self.targets = {target["id"]: target["filename"] for target in self.information("targets")}

    def information(self, what):
        # Written anew where a build file of the copy has changed.
        subprocess.run(["ninja", "-C", self.folder, "build.ninja"], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(self.folder, "meson-info", f"intro-{what}.json"), encoding="utf-8") as file:
            return json.load(file)

    def make(self, programs):
        """Builds the test programs and what they run; gives the compiler's output where that fails, else nothing."""
        wanted = {path for program in programs for target in self.tests[program]["depends"] for path in self.targets[target]}
        # Where another program runs the tests, their own is its last argument, named from the build's folder.
        wanted |= {os.path.join(self.folder, self.tests[program]["cmd"][-1]) for program in programs}
        wanted = [os.path.relpath(path, self.folder) for path in sorted(wanted)]
        result = subprocess.run(["ninja", "-C", self.folder, *wanted], capture_output=True, text=True)
        return "" if result.returncode == 0 else result.stdout

    def run(self, program, cases):
        """(names of failed cases, how many cases ran, what the program wrote). A program that ends early or too late
        has failed in the case that it was in."""
        test = self.tests[program]
        patterns = ":".join(f"{case}:{case}/*:*/{case}/*" for case in cases)
        process = subprocess.Popen([*test["cmd"], f"--gtest_filter={patterns}"], cwd=test["workdir"] or self.folder,
                                   env=os.environ | test["env"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, errors="replace", start_new_session=True)
        try:
            output = process.communicate(timeout=test["timeout"])[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output = process.communicate()[0]
        started = re.findall(r"^\[ RUN      \] (\S+)", output, re.M)
        passed = re.findall(r"^\[       OK \] ([^\s,]+)", output, re.M)
        failed = sorted(set(started) - set(passed))
        if process.returncode != 0 and not failed:
            failed = [f"{program} (exit status {process.returncode})"]
        return failed, len(started), output

    def write(self, path, text):
        with open(os.path.join(self.copy, path), "w", encoding="utf-8") as file:
            file.write(text)


def check_unbroken(build, mutants):
    """The problems that there are without any mutant."""
    programs = {}
    for mutant in mutants:
        if mutant["program"] not in build.tests:
            return [f"{mutant['name']}: meson knows no test program '{mutant['program']}'"]
        programs.setdefault(mutant["program"], set()).add(mutant["test"])
    print(f"building {len(programs)} test programs", flush=True)
    output = build.make(programs)
    if output:
        return [f"the unbroken tree can't be built:\n{output}"]
    problems = []
    for program, cases in programs.items():
        for case in sorted(cases):
            failed, ran, text = build.run(program, [case])
            if failed or ran == 0:
                problems.append(f"{case} of '{program}' must pass on the unbroken tree; {ran} ran:\n{text}")
    return problems


def survives(build, mutant):
    """Why a mutant was not noticed, or nothing."""
    original = tree.read(build.copy, mutant["file"])
    build.write(mutant["file"], original.replace(mutant["find"], mutant["replace"]))
    try:
        output = build.make([mutant["program"]])
        if output:
            return f"can't be built:\n{output}"
        failed, _, _ = build.run(mutant["program"], [mutant["test"]])
        others = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        print(f"{mutant['name']}: {'fails: ' + failed[0] + others if failed else 'NOT NOTICED'}", flush=True)
        return "" if failed else f"{mutant['test']} of '{mutant['program']}' passes: {mutant['rule']}"
    finally:
        build.write(mutant["file"], original)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lint", action="store_true")
    parser.add_argument("--folder", default=os.path.join(ROOT, "build-mutants"))
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    mutants = load(os.path.join(ROOT, "tests", "mutation"))
    problems = problems_of(mutants, ROOT)
    unknown = set(arguments.names) - {mutant["name"] for mutant in mutants}
    problems += [f"there is no mutant {name}" for name in sorted(unknown)]
    chosen = [mutant for mutant in mutants if not arguments.names or mutant["name"] in arguments.names]
    if not problems and not arguments.lint:
        build = Build(ROOT, os.path.abspath(arguments.folder))
        problems = check_unbroken(build, chosen)
        if not problems:
            reasons = {mutant["name"]: survives(build, mutant) for mutant in chosen}
            problems = [f"{name}: {reason}" for name, reason in reasons.items() if reason]
    for problem in problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    print(f"{len(chosen)} mutants, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
