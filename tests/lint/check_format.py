# SPDX-License-Identifier: Apache-2.0
"""C and C++ sources are as clang-format writes them: check_format.py ROOT"""

import os
import shutil
import subprocess
import sys

import tree

# Versions format differently, so there is one.
VERSION = "16"


def clang_format():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path is not None:
            text = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
            if f"version {VERSION}." in text:
                return path
    return None


def main():
    root = sys.argv[1]
    tool = clang_format()
    if tool is None:
        print(f"clang-format {VERSION} is missing: scripts/setup --tests installs it")
        return 1
    sources = [path for path in tree.files(root, ["src", "include", "tools", "examples", "tests", "bench"])
               if path.endswith((".h", ".hpp", ".c", ".cpp"))]
    if not sources:
        print("no sources found")
        return 1
    print(f"{len(sources)} files")
    return subprocess.run([tool, "--dry-run", "--Werror", *sources], cwd=root, env={**os.environ, "LC_ALL": "C"},
                          check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
