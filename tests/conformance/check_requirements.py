# SPDX-License-Identifier: Apache-2.0
"""Compares the list of requirements with the test programs: check_requirements.py LIST BUILD.

Fails where a row has neither a test nor a reason, has both, or names a test that no program of the build has. Prints how
many rows are covered, section by section, and the reasons of those that are not.
"""

import json
import os
import re
import subprocess
import sys
import tomllib

PROGRAM = "program:"


def cases_of(listing):
    """The names of the cases in what a GoogleTest program lists: in full, and without prefix and parameter."""
    names = set()
    suite = ""
    for line in listing.splitlines():
        name = line.split("#")[0].strip()
        if not name:
            continue
        if not line.startswith(" "):
            suite = name.rstrip(".") if re.fullmatch(r"[\w/]+\.", name) else ""
        elif suite:
            bare_suite = suite.split("/")[-1]
            bare_name = name.split("/")[0]
            names |= {f"{suite}.{name}", f"{bare_suite}.{name}", f"{bare_suite}.{bare_name}"}
    return names


def tests_of(build):
    """(names of all that a row can name, problems) of a build."""
    names, problems = set(), []
    with open(os.path.join(build, "meson-info", "intro-tests.json"), encoding="utf-8") as file:
        tests = json.load(file)
    for test in tests:
        names.add(PROGRAM + test["name"])
        if test["protocol"] != "gtest":
            continue
        # Where another program runs the tests, theirs is its last argument, named from the build's folder.
        program = os.path.join(os.path.abspath(build), test["cmd"][-1])
        if not os.path.exists(program):
            problems.append(f"{program} is not built: build everything first")
            continue
        result = subprocess.run([program, "--gtest_list_tests"], capture_output=True, text=True, cwd=build)
        if result.returncode != 0:
            problems.append(f"{program} can't list its tests: {result.stderr.strip()}")
        names |= cases_of(result.stdout)
    return names, problems


def check(sections, known):
    """The problems of the list."""
    problems, seen = [], set()
    for section in sections:
        for row in section["rows"]:
            name = f"{section['file']} {section['number']} {row['id']}"
            tests, reason = row.get("tests", []), row.get("reason", "")
            if name in seen:
                problems.append(f"{name} stands twice in the list")
            seen.add(name)
            if not row.get("text") or not set(row.get("mark", "?").split("/")) <= {"D", "O"}:
                problems.append(f"{name}: expected a text, and D or O or D/O as mark")
            if bool(tests) == bool(reason):
                problems.append(f"{name}: expected either tests or a reason why there is none")
            problems += [f"{name}: no program has the test {test}" for test in tests if test not in known]
    return problems


def report(sections):
    """Lines that say what is covered."""
    lines = []
    for mark, meaning in (("D", "documented"), ("O", "observed")):
        rows = [row for section in sections for row in section["rows"] if mark in row["mark"].split("/")]
        covered = sum(bool(row.get("tests")) for row in rows)
        lines.append(f"{mark} ({meaning}): {covered} of {len(rows)} rows have tests")
    for section in sections:
        rows = section["rows"]
        covered = sum(bool(row.get("tests")) for row in rows)
        lines.append(f"{section['file']} {section['number']}: {covered} of {len(rows)}")
        lines += [f"    {row['id']}: {row['text']}. Not tested: {row['reason']}" for row in rows if row.get("reason")]
    return lines


def main():
    list_path, build = sys.argv[1:]
    with open(list_path, "rb") as file:
        sections = tomllib.load(file)["section"]
    known, problems = tests_of(build)
    problems += check(sections, known)
    print("\n".join(report(sections)))
    for problem in problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
