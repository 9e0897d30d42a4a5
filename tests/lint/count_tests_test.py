# SPDX-License-Identifier: Apache-2.0
"""scripts/count_tests.py counts right: count_tests_test.py ROOT"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = None

SUITES = """<testsuites>
<testsuite name="openlarod.openlarod:unit / wire.Codec">
<testcase name="A" status="run" classname="Codec"/><testcase name="B" status="run" classname="Codec">{extra}</testcase>
</testsuite>
<testsuite name="openlarod.openlarod:unit / wire.Channel"><testcase name="C" status="{status}" classname="Channel"/>
</testsuite>
<testsuite name="openlarod.openlarod:unit / wire-other.Codec"><testcase name="A" status="run" classname="Codec"/>
</testsuite>
</testsuites>"""


class CountTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = folder.name
        os.mkdir(os.path.join(self.build, "meson-logs"))

    def write(self, tests, suites=None):
        with open(os.path.join(self.build, "meson-logs", "testlog.json"), "w", encoding="utf-8") as file:
            for name, result in tests:
                file.write(json.dumps({"name": name, "result": result, "returncode": 1, "stdout": f"said {name}\n",
                                       "command": ["program"]}) + "\n")
        if suites is not None:
            with open(os.path.join(self.build, "meson-logs", "testlog.junit.xml"), "w", encoding="utf-8") as file:
                file.write(suites)

    def expect(self, last, status, *arguments):
        script = os.path.join(ROOT, "scripts", "count_tests.py")
        result = subprocess.run([sys.executable, "-B", script, *arguments, self.build], capture_output=True, text=True,
                                check=False)
        self.assertEqual(result.stdout.splitlines()[-1], last, result.stdout + result.stderr)
        self.assertEqual(result.returncode, status)
        return result.stdout

    def test_cases_and_programs_are_counted(self):
        self.write([("openlarod:unit / wire", "OK"), ("openlarod:lint / layers", "OK")],
                   SUITES.format(extra="", status="run"))
        self.expect("4 passed, 0 failed", 0)

    def test_a_failed_case_is_told_with_the_output(self):
        self.write([("openlarod:unit / wire", "FAIL")], SUITES.format(extra='<failure message="no"/>', status="run"))
        text = self.expect("2 passed, 1 failed", 1)
        self.assertIn("Codec.B: no", text)
        self.assertIn("said openlarod:unit / wire", text)

    def test_a_skipped_case_is_a_failure(self):
        self.write([("openlarod:unit / wire", "OK")], SUITES.format(extra="<skipped/>", status="run"))
        self.expect("2 passed, 1 failed", 1)
        self.write([("openlarod:unit / wire", "OK")], SUITES.format(extra="", status="notrun"))
        self.expect("2 passed, 1 failed", 1)

    def test_a_skipped_program_is_a_failure(self):
        self.write([("openlarod:lint / layers", "SKIP")])
        self.expect("0 passed, 1 failed", 1)

    def test_a_bad_end_after_good_cases_is_a_failure(self):
        self.write([("openlarod:unit / wire", "FAIL")], SUITES.format(extra="", status="run"))
        self.expect("3 passed, 1 failed", 1)

    def test_a_program_that_reports_nothing_is_a_failure(self):
        for result in ("FAIL", "TIMEOUT", "ERROR", "INTERRUPT"):
            self.write([("openlarod:unit / wire", result), ("openlarod:unit / base", "OK")])
            self.expect("1 passed, 1 failed", 1)

    def test_no_test_is_a_failure(self):
        self.write([])
        self.expect("0 passed, 1 failed", 1)
        os.remove(os.path.join(self.build, "meson-logs", "testlog.json"))
        self.expect("0 passed, 1 failed", 1)

    def test_what_could_not_be_built_is_a_failure(self):
        self.write([("openlarod:unit / base", "OK")])
        self.expect("1 passed, 2 failed", 1, "--failures", "2")


if __name__ == "__main__":
    ROOT = sys.argv.pop()
    unittest.main()
