# SPDX-License-Identifier: Apache-2.0
"""Every source file names its licence and speaks of the project alone: check_sources.py ROOT"""

import re
import sys

import tree

LICENCE = "SPDX-License-Identifier: Apache-2.0"
SOURCES = (".h", ".hpp", ".c", ".cpp", ".in", ".py", ".sh", ".map", "meson.build", "meson_options.txt", ".clang-format",
           ".clang-tidy")
# Put together here, so that this file does not hold them.
FORBIDDEN = [
    (re.compile(r"\b(" + "TO" + "DO|FIX" + "ME|X" + "XX)\\b"), "a note of something unfinished"),
    (re.compile(r"(?<![\w.*)}$])/(work|home|root)/"), "a path of one machine"),
    (re.compile(r"\.\./" + "shared"), "a path outside of the project"),
]


def is_source(path, text):
    return path.endswith(SOURCES) or text.startswith("#!")


def violations(root):
    """One line for each place that breaks a rule, and the number of files that were read."""
    found, count = [], 0
    for path in tree.files(root):
        text = tree.read(root, path)
        if text is None:
            continue
        count += 1
        first = text.split("\n", 2)[:2]
        if is_source(path, text) and not any(LICENCE in line for line in first):
            found.append(f"{path}: no line '{LICENCE}' at the top")
        for number, line in enumerate(text.split("\n"), 1):
            found += [f"{path}:{number}: {what}: {line.strip()}" for pattern, what in FORBIDDEN if pattern.search(line)]
    return found, count


def main():
    found, count = violations(sys.argv[1])
    for line in found:
        print(line)
    print(f"{count} files read, {len(found)} places break a rule")
    return 1 if found or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
