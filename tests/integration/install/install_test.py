#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the build into a folder and uses it as a person would: the README's program is compiled with the installed header, library and
pkg-config file, in C11 and in C++, and run with the installed larod-run and service.

Usage: install_test.py BUILD_DIR SOURCE_DIR MODEL
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

build, source, model = (pathlib.Path(argument) for argument in sys.argv[1:4])
del sys.argv[1:]


def run(*command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if result.returncode != 0:
        raise AssertionError(f"{command} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="larod-install-")
        cls.root = pathlib.Path(cls.folder.name)
        run("meson", "install", "-C", build, "--no-rebuild", "--destdir", cls.root)
        cls.pkgconfig = next(cls.root.rglob("liblarod.pc"))
        cls.bin = next(cls.root.rglob("larod-run")).parent
        cls.lib = next(cls.root.rglob("liblarod.so.1")).parent
        cls.environment = dict(
            os.environ,
            PKG_CONFIG_PATH=str(cls.pkgconfig.parent),
            PKG_CONFIG_SYSROOT_DIR=str(cls.root),
            LD_LIBRARY_PATH=str(cls.lib),
            PATH=f"{cls.bin}:{os.environ['PATH']}",
        )
        readme = (source / "README.md").read_text(encoding="utf-8")
        cls.program = re.search(r"```c\n(.*?)```", readme, re.DOTALL).group(1)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def compile_and_run(self, compiler, standard, name):
        code = self.root / name
        code.write_text(self.program, encoding="utf-8")
        flags = run("pkg-config", "--cflags", "--libs", "liblarod", env=self.environment).split()
        program = self.root / (name + ".out")
        run(*compiler.split(), standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", code, "-o", program, *flags, env=self.environment)
        output = run("larod-run", "--", program, model, env=self.environment)
        self.assertIn("done: 1 input(s), 2 output(s)", output)

    def test_readme_program_in_c11(self):
        self.compile_and_run(os.environ.get("CC", "cc"), "-std=c11", "app.c")

    def test_readme_program_in_cpp(self):
        self.compile_and_run(os.environ.get("CXX", "c++"), "-std=c++20", "app.cpp")

    def test_programs_of_old_versions_compile_and_link(self):
        for version in ("1", "2"):
            run(
                *os.environ.get("CC", "cc").split(), "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-cpp", "-D_GNU_SOURCE",
                source / f"tests/integration/api/version_{version}_app.c", "-o", self.root / f"version_{version}.out",
                *run("pkg-config", "--cflags", "--libs", "liblarod", env=self.environment).split(), "-pthread", env=self.environment,
            )

    def test_examples_in_c_compile_and_link_as_they_say(self):
        flags = run("pkg-config", "--cflags", "--libs", "liblarod", env=self.environment).split()
        for name in ("dma_buf", "camera"):
            text = (source / f"examples/{name}.c").read_text(encoding="utf-8")
            sources = re.search(r"\bcc (.*) -o", text).group(1).split()
            run(
                *os.environ.get("CC", "cc").split(), "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                *(source / "examples" / file for file in sources), "-o", self.root / f"{name}.out", *flags, env=self.environment,
            )
        output = run("larod-run", "--", self.root / "dma_buf.out", "--buffers", "memory", "--jobs", "1", env=self.environment)
        self.assertIn("job 0: luma 16 in, mean of R, G and B out: 0.00", output)

    def test_pkg_config_finds_the_library_where_it_is_installed(self):
        installed = "/" + str(self.pkgconfig.parent.relative_to(self.root))
        prefix = "/" + str(self.bin.parent.relative_to(self.root)) + "/"
        searched = run("pkg-config", "--variable", "pc_path", "pkg-config").strip().split(":")
        # It searches no folder of a prefix that it does not know.
        searched_there = [folder for folder in searched if folder.startswith(prefix)]
        if searched_there:
            self.assertIn(installed, searched_there)

    def test_library_has_its_soname(self):
        self.assertIn("[liblarod.so.1]", run("readelf", "-d", self.lib / "liblarod.so.1"))

    def test_everything_is_installed(self):
        for name in ("larod", "larod-client", "larod-run"):
            self.assertTrue((self.bin / name).exists(), name)
        for name in ("larod.h", "larod-dma-buf.h", "larod-version.h"):
            self.assertTrue(any(self.root.rglob(name)), name)
        self.assertTrue(any(self.root.rglob("larod/libLiteRt.so")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
