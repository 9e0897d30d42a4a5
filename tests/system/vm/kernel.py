# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel 6.12 for the virtual machine: fetched by apt, unpacked into a cache, and never installed.

Debian builds neither vim2m nor the module that it needs; they are built from Debian's source of the same kernel.
"""

import dataclasses
import lzma
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile

META_PACKAGE = "linux-image-6.12-amd64"
SOURCE_PACKAGE = "linux-source-6.12"
SOURCES = ["drivers/media/test-drivers/vim2m.c", "drivers/media/v4l2-core/v4l2-mem2mem.c"]
TOOLS = ["apt-get", "busybox", "cpio", "dpkg-deb", "gcc-12", "make", "qemu-system-x86_64", "xz"]


class Unavailable(Exception):
    """The virtual machine can't be had; the text says why and what to do."""


@dataclasses.dataclass
class Image:
    vmlinuz: pathlib.Path
    modules: pathlib.Path  # the folder of the kernel's release


def call(command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if result.returncode != 0:
        raise Unavailable(f"{shlex_join(command)} failed:\n{result.stdout[-2000:]}")
    return result.stdout


def shlex_join(command):
    return " ".join(str(word) for word in command)


def fetch(packages, into):
    """Downloads and unpacks packages."""
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into) as folder:
        call(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *packages], cwd=folder)
        for package in pathlib.Path(folder).glob("*.deb"):
            call(["dpkg-deb", "-x", str(package), str(into)])


def image_package():
    """The package with the kernel that the meta package stands for, as apt knows it today."""
    found = re.search(r"Depends: (linux-image-\S+)", call(["apt-cache", "depends", META_PACKAGE]))
    if not found:
        raise Unavailable(f"apt does not know {META_PACKAGE}; it is of Debian 12's security archive. Run apt-get update")
    return found.group(1)


def build_test_drivers(release, image_version, modules):
    with tempfile.TemporaryDirectory(prefix="larod-kernel-") as folder:
        work = pathlib.Path(folder)
        common = release.removesuffix("-amd64")
        fetch(
            [f"linux-headers-{release}={image_version}", f"linux-headers-{common}-common={image_version}",
             f"linux-kbuild-{common}={image_version}", f"{SOURCE_PACKAGE}={image_version}"],
            work,
        )  # fmt: skip
        source = work / "source"
        source.mkdir()
        members = [f"linux-source-6.12/{name}" for name in SOURCES]
        call(["tar", "-xJf", str(work / "usr/src/linux-source-6.12.tar.xz"), "-C", str(source), "--occurrence=1",
              "--transform=s,.*/,,", *members])  # fmt: skip
        (source / "Kbuild").write_text("obj-m := v4l2-mem2mem.o vim2m.o\n")
        # The packages' Makefile names where they would be installed, so it is given here; type information would need
        # another tool.
        call(["make", "-s", "-C", str(work / f"usr/src/linux-headers-{release}"),
              "-f", str(work / f"usr/src/linux-headers-{common}-common/Makefile"),
              f"M={source}", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"])  # fmt: skip
        target = modules / "kernel/test-drivers"
        target.mkdir()
        for module in source.glob("*.ko"):
            shutil.copy(module, target)


def prepare(cache):
    """The kernel in the cache; fetches and builds it where it is not there."""
    if platform.machine() != "x86_64":
        raise Unavailable(f"the virtual machine is made for x86_64 hosts, not for {platform.machine()}; on a machine with "
                          "the nodes run the tests as root without it")  # fmt: skip
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        raise Unavailable(f"not installed: {', '.join(missing)}; scripts/setup --tests installs all that is needed")
    vmlinuz = cache / "vmlinuz"
    if vmlinuz.exists():
        return Image(vmlinuz, next((cache / "lib/modules").iterdir()))
    shutil.rmtree(cache, ignore_errors=True)
    package = image_package()
    fetch([package], cache)
    release = package.removeprefix("linux-image-")
    version = re.search(r"^Version: (\S+)", call(["apt-cache", "show", package]), re.M).group(1)
    modules = cache / "lib/modules" / release
    build_test_drivers(release, version, modules)
    os.rename(cache / "boot" / f"vmlinuz-{release}", vmlinuz)  # last: what is there is complete
    return Image(vmlinuz, modules)


def copy_modules(modules, wanted, target):
    """Copies modules and what they need, unpacked; their names in the order in which they can be loaded."""
    files = {re.sub(r"\.ko(\.xz)?$", "", path.name).replace("-", "_"): path for path in modules.rglob("*.ko*")}
    built_in = {pathlib.Path(line.strip()).stem.replace("-", "_") for line in open(modules / "modules.builtin", encoding="ascii")}
    order = []

    def add(name):
        if name in order or name in built_in:
            return
        if name not in files:
            raise Unavailable(f"this kernel has no module {name}")
        path = files[name]
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        for needed in re.search(rb"\0depends=([^\0]*)\0", data).group(1).decode().split(","):
            if needed:
                add(needed.replace("-", "_"))
        (target / f"{name}.ko").write_bytes(data)
        order.append(name)

    for name in wanted:
        add(name)
    return order
