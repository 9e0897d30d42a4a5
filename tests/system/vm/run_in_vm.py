#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command of this machine under a kernel that has dma-bufs: run_in_vm.py [OPTION...] -- COMMAND [ARGUMENT...]

A virtual machine without acceleration boots Debian's kernel 6.12, which has /dev/udmabuf, /dev/dma_heap/system, vgem
(dma-bufs with fences), vivid (a camera) and vim2m (a converter that takes dma-bufs). It sees this machine's files, which
it can't change: what is written goes to memory, but for the file of --gtest_output=xml:FILE, which comes back. The command
runs as root; its output comes out on stdout; its exit status is this program's. With --prepare the kernel is fetched and
its test drivers are built, once.

Where this machine has all of the nodes and the caller is root, the command runs here instead (but for --where=vm).
"""

import argparse
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import kernel

# In the order in which the nodes /dev/videoN get their numbers.
MODULES = ["vgem", "vivid", "vim2m"]
PARAMETERS = {"vivid": "n_devs=1 node_types=0x1"}
FILE_SYSTEMS = ["9p", "9pnet_virtio", "overlay"]
MOUNT_9P = "trans=virtio,version=9p2000.L,msize=512000"
NO_VM = 125  # exit status where the command could not be run, or did not end

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for line in {modules}; do
    insmod /modules/${{line%%:*}}.ko $(echo ${{line#*:}} | tr , ' ') || echo "vm: module ${{line%%:*}} does not load"
done
mount -t 9p -o ro,{mount},cache=loose files /files
mount -t tmpfs changes /changes
mkdir /changes/new /changes/work
mount -t overlay -o lowerdir=/files,upperdir=/changes/new,workdir=/changes/work all /all
mount -t tmpfs run /all/run
mount -t proc proc /all/proc
mount -t sysfs sysfs /all/sys
mount -t debugfs debug /all/sys/kernel/debug
mount --rbind /dev /all/dev
mkdir -p /all/dev/shm /all/dev/pts /all/run/vm
mount -t tmpfs shm /all/dev/shm
mount -t devpts pts /all/dev/pts
mount -t 9p -o {mount},cache=none share /all/run/vm
ip link set lo up
ulimit -n 65536
ulimit -c 0
chroot /all /bin/sh /run/vm/command </dev/null >/dev/vport0p1 2>&1
echo $? >/all/run/vm/status
sync
poweroff -f
"""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepare", action="store_true", help="fetch and build what is missing, and run nothing")
    parser.add_argument("--where", choices=["auto", "vm", "here"], default="auto")
    parser.add_argument("--cache", type=pathlib.Path, help="where the kernel is kept; default: .deps/vm of the project")
    parser.add_argument("--memory", type=int, default=1024, metavar="MIB")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=900, metavar="S", help="for all of it, default 900")
    parser.add_argument("command", nargs="*", help="after --")
    return parser.parse_args()


def has_nodes():
    """Whether this machine has the nodes that the tests use, of the kernel's test drivers, and lets us use them."""
    drivers = {path.read_text().split("-")[0].strip() for path in pathlib.Path("/sys/class/video4linux").glob("*/name")}
    card = pathlib.Path("/sys/class/drm/card0/device")
    return (
        os.geteuid() == 0
        and all(os.access(node, os.R_OK | os.W_OK) for node in ("/dev/udmabuf", "/dev/dma_heap/system", "/dev/dri/card0"))
        and "vgem" in os.path.realpath(card)
        and {"vivid", "vim2m"} <= drivers
        and os.path.exists("/sys/kernel/debug/dma_buf/bufinfo")
    )


def make_initramfs(image, where):
    """The first programs and modules that the guest runs."""
    tree = where / "tree"
    for folder in ("bin", "dev", "proc", "sys", "modules", "all", "files", "changes"):
        (tree / folder).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), tree / "bin/busybox")
    order = kernel.copy_modules(image.modules, FILE_SYSTEMS + MODULES, tree / "modules")
    lines = " ".join(f"{name}:{PARAMETERS.get(name, '').replace(' ', ',')}" for name in order)
    init = tree / "init"
    init.write_text(INIT.format(modules=lines, mount=MOUNT_9P))
    init.chmod(0o755)
    archive = where / "initramfs"
    with open(archive, "wb") as output:
        names = subprocess.run(["find", ".", "-print0"], cwd=tree, check=True, stdout=subprocess.PIPE).stdout
        subprocess.run(
            ["cpio", "--null", "--create", "--format=newc", "--quiet"], cwd=tree, input=names, stdout=output, check=True
        )
    return archive


def guest_command(command, share):
    """The script that the guest runs, and the file that is to come back: (path here, path in the share)."""
    returned = None
    arguments = []
    for argument in command:
        if argument.startswith("--gtest_output=xml:"):
            returned = (pathlib.Path(argument.split(":", 1)[1]).absolute(), share / "result.xml")
            argument = "--gtest_output=xml:/run/vm/result.xml"
        arguments.append(shlex.quote(argument))
    kept = [f"export {name}={shlex.quote(value)}" for name, value in os.environ.items() if name.startswith(("LAROD_", "GTEST_"))]
    lines = [
        "export HOME=/tmp LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        *kept,
        f"cd {shlex.quote(os.getcwd())} || exit 94",
        "exec " + " ".join(arguments),
    ]
    (share / "command").write_text("\n".join(lines) + "\n")
    return returned


def boot(image, archive, share, console, arguments):
    """Runs the machine to its end. Whether it came to one in time."""
    output = os.dup(1)
    qemu = [
        "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max",
        "-smp", str(arguments.cpus), "-m", str(arguments.memory),
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", f"file:{console}",
        "-device", "virtio-serial-pci", "-add-fd", f"fd={output},set=1",
        "-chardev", "file,id=output,path=/dev/fdset/1,append=on", "-device", "virtserialport,chardev=output,nr=1",
        "-fsdev", "local,id=files,path=/,security_model=none,readonly=on,multidevs=remap",
        "-device", "virtio-9p-pci,fsdev=files,mount_tag=files",
        "-fsdev", f"local,id=share,path={share},security_model=none,multidevs=remap",
        "-device", "virtio-9p-pci,fsdev=share,mount_tag=share",
        "-kernel", str(image.vmlinuz), "-initrd", str(archive),
        "-append", "console=ttyS0 quiet panic=-1 cryptomgr.notests",
    ]  # fmt: skip
    try:
        subprocess.run(qemu, stdin=subprocess.DEVNULL, pass_fds=[output], timeout=arguments.timeout, check=False)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        os.close(output)


def run(image, arguments):
    sys.stdout.flush()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="larod-vm-") as folder:
        work = pathlib.Path(folder)
        share = work / "share"
        share.mkdir()
        returned = guest_command(arguments.command, share)
        console = work / "console"
        ended = boot(image, make_initramfs(image, work), share, console, arguments)
        if returned and returned[1].exists():
            shutil.copyfile(returned[1], returned[0])
        try:
            status = int((share / "status").read_text())
        except (OSError, ValueError):
            reason = "did not end normally" if ended else f"did not end within {arguments.timeout} s"
            print(f"run_in_vm: the virtual machine {reason}; its console:", file=sys.stderr)
            print("\n".join(console.read_text(errors="replace").splitlines()[-25:]), file=sys.stderr)
            return NO_VM
    print(f"run_in_vm: exit status {status} after {time.monotonic() - began:.0f} s")
    return status


def main():
    arguments = parse_arguments()
    if arguments.prepare == bool(arguments.command):
        sys.exit("run_in_vm: expected a command after --, or --prepare")
    cache = arguments.cache or pathlib.Path(__file__).resolve().parents[3] / ".deps/vm"
    try:
        if not arguments.prepare and (arguments.where == "here" or (arguments.where == "auto" and has_nodes())):
            status = subprocess.run(arguments.command, check=False).returncode
        else:
            image = kernel.prepare(cache)
            status = 0 if arguments.prepare else run(image, arguments)
    except kernel.Unavailable as error:
        print(f"run_in_vm: {error}", file=sys.stderr)
        status = NO_VM
    sys.exit(status)


if __name__ == "__main__":
    main()
