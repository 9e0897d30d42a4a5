# SPDX-License-Identifier: Apache-2.0
# Checks what LAROD_API_VERSION_* do: check_version_macros.py INCLUDE_DIR BUILD_INCLUDE_DIR SOURCE COMPILER...
import subprocess
import sys

include, build_include, source, *compiler = sys.argv[1:]


def compile_with(*macros):
    command = [*compiler, "-std=c11", "-fsyntax-only", f"-I{include}", f"-I{build_include}"]
    result = subprocess.run(command + [f"-D{macro}" for macro in macros] + [source], capture_output=True, text=True)
    return result.returncode, result.stderr


failed = 0
for macros, expected_text in [
    ((), None),
    (("LAROD_API_VERSION_3",), None),
    (("LAROD_API_VERSION_1",), "version 3 of the interface only"),
    (("LAROD_API_VERSION_2",), "version 3 of the interface only"),
    (("LAROD_API_VERSION_1", "LAROD_API_VERSION_2"), "which one is meant"),
]:
    code, text = compile_with(*macros)
    good = code == 0 if expected_text is None else code != 0 and expected_text in text
    print(f"{'ok' if good else 'WRONG'}: {macros}")
    if not good:
        print(text)
        failed += 1
sys.exit(failed)
