# SPDX-License-Identifier: Apache-2.0
"""The project's own files."""

import os

# Folders at the top that hold sources; builds and downloads are beside them.
TOP = ["src", "include", "tools", "examples", "tests", "bench", "scripts", "docs", "packaging", ".ci"]
SKIP = {"__pycache__"}


def files(root, folders=TOP):
    """Paths, relative to root, of the files at the top and in the folders."""
    found = []
    if folders is TOP:
        # In a git worktree .git is a file, which names the repository's place on this machine.
        found += [name for name in os.listdir(root) if name != ".git" and os.path.isfile(os.path.join(root, name))]
    for folder in folders:
        for directory, subfolders, names in os.walk(os.path.join(root, folder)):
            subfolders[:] = sorted(set(subfolders) - SKIP)
            found += [os.path.relpath(os.path.join(directory, name), root) for name in names]
    return sorted(found)


def read(root, path):
    """The text of a file, or None where it is no text."""
    with open(os.path.join(root, path), "rb") as file:
        data = file.read()
    try:
        return None if b"\0" in data else data.decode("utf-8")
    except UnicodeDecodeError:
        return None
