# SPDX-License-Identifier: Apache-2.0
# Fails when the library exports anything but the symbols of the list: check_symbols.py NM LIBRARY LIST
import subprocess
import sys

nm, library, list_path = sys.argv[1:]
output = subprocess.run([nm, "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
exported = {line.split()[-1] for line in output.splitlines()}
with open(list_path) as file:
    expected = set(file.read().split())

for name in sorted(expected - exported):
    print(f"not exported, but in the list: {name}")
for name in sorted(exported - expected):
    print(f"exported, but not in the list: {name}")
sys.exit(exported != expected or not expected)
