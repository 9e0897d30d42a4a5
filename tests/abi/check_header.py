# SPDX-License-Identifier: Apache-2.0
"""Compiles larod.h and larod-dma-buf.h in every language that may include them, in every version of the interface, with every
warning.

check_header.py INCLUDE_DIR BUILD_INCLUDE_DIR HEADER_C HEADER_CPP LAYOUT_C DMA_BUF_C DMA_BUF_CPP --c COMPILER... --cpp COMPILER...
"""
import subprocess
import sys

include, build_include, header_c, header_cpp, layout_c, dma_buf_c, dma_buf_cpp, *rest = sys.argv[1:]
split = rest.index("--cpp")
c_compiler, cpp_compiler = rest[1:split], rest[split + 1 :]

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wundef", "-Wcast-qual", "-Wredundant-decls",
            "-Werror"]
C, CPP = ["-Wstrict-prototypes", "-Wmissing-prototypes", "-Wc++-compat"], ["-Wold-style-cast"]
LANGUAGES = [
    (c_compiler, "c99", header_c, C),
    (c_compiler, "c11", header_c, C),
    (cpp_compiler, "c++11", header_cpp, CPP),
    (cpp_compiler, "c++20", header_cpp, CPP),
    (c_compiler, "c11", layout_c, []),
    (c_compiler, "c99", dma_buf_c, C),
    (c_compiler, "c11", dma_buf_c, C),
    (cpp_compiler, "c++11", dma_buf_cpp, CPP),
    (cpp_compiler, "c++20", dma_buf_cpp, CPP),
    (cpp_compiler, "c++20", dma_buf_cpp, [*CPP, "-fno-exceptions"]),
]
V1, V2, V3 = "LAROD_API_VERSION_1", "LAROD_API_VERSION_2", "LAROD_API_VERSION_3"
# Macros, further options, what the compiler must say: nothing where it must succeed in silence.
CASES = [
    ([], [], None),
    ([V3], [], None),
    ([V1], ["-Wno-cpp"], None),
    ([V2], ["-Wno-cpp"], None),
    ([V1], [], f"{V1} is deprecated"),
    ([V2], [], f"{V2} is deprecated"),
    ([V1, V2], ["-Wno-cpp"], "which one is meant"),
]

failed = 0
for compiler, standard, source, options in LANGUAGES:
    # What larod.h says of its versions need not be said twice.
    for macros, more, expected in CASES if "dma_buf" not in source else [case for case in CASES if case[2] is None]:
        command = [*compiler, f"-std={standard}", "-fsyntax-only", f"-I{include}", f"-I{build_include}", *WARNINGS, *options, *more]
        result = subprocess.run(command + [f"-D{macro}" for macro in macros] + [source], capture_output=True, text=True)
        if expected is None:
            good = result.returncode == 0 and result.stderr == ""
        else:
            good = result.returncode != 0 and expected in result.stderr
        print("ok   " if good else "WRONG", standard, source.rsplit("/")[-1], *macros, *more)
        if not good:
            print(result.stderr)
            failed += 1
sys.exit(failed != 0)
