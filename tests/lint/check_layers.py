# SPDX-License-Identifier: Apache-2.0
"""Includes keep to the layers: check_layers.py ROOT

base <- wire <- client; base <- buffer <- device <- session <- service; wire <- session. The folders of single devices
know only themselves, the device interface and what devices share. tools/ and examples/ use the public headers and their own files, but
for larod-client's --status, for which the public headers have no word, and its reader of pictures, which is the examples'.
"""

import os
import re
import sys

import tree

LAYERS = {
    "base": set(),
    "wire": {"base"},
    "client": {"wire", "base"},
    "buffer": {"base"},
    "device": {"buffer", "base"},
    "session": {"device", "buffer", "wire", "base"},
    "service": {"session", "device", "buffer", "wire", "base"},
}
PUBLIC = {"larod.h", "larod-version.h", "larod-dma-buf.h"}
# Folders of src/device that are of no single device.
SHARED_BY_DEVICES = {"image"}
# The one file that knows every device.
DEVICE_LIST = "src/device/device_list.cpp"
# larod.h exports what larod exports, and that has no status: these files ask for it over the wire themselves.
STATUS_FILES = re.compile(r"tools/larod-client/status_\w+\.(h|cpp)")
STATUS_HEADERS = re.compile(r"wire/\w+\.h|client/(handshake|poll)\.h")
# Pictures are read and written by what the examples have for that; these files alone know of it.
PICTURE_FILES = re.compile(r"tools/larod-client/picture_file\.cpp")
PICTURE_HEADERS = {"image_file.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def check_src(root, path, name, quoted):
    own = path.split("/")[1:-1]
    if not quoted:
        if name not in PUBLIC and os.path.exists(os.path.join(root, "src", name)):
            yield f"<{name}>: files of the project are included with quotes"
        return
    if name in PUBLIC:
        return
    if not os.path.isfile(os.path.join(root, "src", name)) or ".." in name.split("/"):
        yield f'"{name}": is no path from src/'
        return
    if not own or own[0] not in LAYERS:
        yield f"the layer table does not know the folder src/{'/'.join(own)}"
        return
    parts = name.split("/")
    if parts[0] != own[0] and parts[0] not in LAYERS[own[0]]:
        yield f'"{name}": {own[0]} is not built on {parts[0]}'
    inner = parts[1] if parts[0] == "device" and len(parts) > 2 else None
    if own[0] == "device" and inner in SHARED_BY_DEVICES:
        return
    if inner is not None and own[:2] != ["device", inner] and path != DEVICE_LIST:
        yield f'"{name}": only {DEVICE_LIST} knows single devices'


def check_program(root, path, name, quoted):
    top, *own = path.split("/")[:-1]  # tools, larod-run
    if name in PUBLIC:
        return
    if not quoted:
        if os.path.exists(os.path.join(root, "src", name)):
            yield f"<{name}>: {top}/ uses the public headers only"
        return
    if STATUS_FILES.fullmatch(path) and STATUS_HEADERS.fullmatch(name):
        return
    if PICTURE_FILES.fullmatch(path) and name in PICTURE_HEADERS:
        return
    # From the file's own folder, or from tools/ or examples/ as the root.
    beside = [*own, *name.split("/")]
    targets = [parts for parts in (beside, name.split("/")) if os.path.isfile(os.path.join(root, top, *parts))]
    if ".." in name.split("/") or not targets:
        yield f'"{name}": neither a public header nor a file of {top}/'
    elif len(targets[0]) > 1 and targets[0][:1] != own[:1]:
        yield f'"{name}": belongs to another program'


def violations(root):
    """One line for each include that breaks a rule, and the number of includes that were read."""
    found, count = [], 0
    for top, check in (("src", check_src), ("tools", check_program), ("examples", check_program)):
        for path in tree.files(root, [top]):
            if not path.endswith((".h", ".hpp", ".c", ".cpp", ".in")):
                continue
            for match in INCLUDE.finditer(tree.read(root, path) or ""):
                count += 1
                found += [f"{path}: {text}" for text in check(root, path, match[2], match[1] == '"')]
    return found, count


def main():
    found, count = violations(sys.argv[1])
    for line in found:
        print(line)
    print(f"{count} includes read, {len(found)} break a rule")
    # No include at all means that the wrong folder was read.
    return 1 if found or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
