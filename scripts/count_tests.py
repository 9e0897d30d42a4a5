# SPDX-License-Identifier: Apache-2.0
"""Counts the tests that meson ran: count_tests.py [--failures N] BUILD...

Every case of a GoogleTest program counts, and every other test once. A skipped test and a program that ended badly
although its cases passed are failures. Prints what failed with its output, and as the last line `N passed, N failed`.
"""

import argparse
import json
import os
import sys
import xml.etree.ElementTree as ElementTree

OUTPUT_LINES = 60


def report_of(build):
    """What meson gathered from the GoogleTest programs' own reports; None where there is nothing."""
    try:
        return ElementTree.parse(os.path.join(build, "meson-logs", "testlog.junit.xml")).getroot()
    except (OSError, ElementTree.ParseError):
        return None


def cases_of(report, name):
    """(passed, {failed case: message}) of the program that meson calls `name`; nothing where it reported none."""
    # Its suites are named PROJECT.NAME.SUITE.
    prefix = f"{name.split(':')[0]}.{name}."
    passed, failed = 0, {}
    for suite in [] if report is None else report.iter("testsuite"):
        if not suite.get("name", "").startswith(prefix):
            continue
        for case in suite.iter("testcase"):
            title = f"{suite.get('name').removeprefix(prefix)}.{case.get('name')}"
            problem = case.find("failure")
            if problem is not None:
                failed[title] = problem.get("message") or problem.text or ""
            elif case.find("skipped") is not None or case.get("status") != "run" or case.get("result") == "skipped":
                failed[title] = "skipped: a test that does not run shows nothing"
            else:
                passed += 1
    return passed, failed


def count(build):
    """(passed, failed) of one build; prints what failed."""
    log = os.path.join(build, "meson-logs", "testlog.json")
    try:
        with open(log, encoding="utf-8") as file:
            tests = [json.loads(line) for line in file if line.strip()]
    except OSError:
        tests = []
    if not tests:
        print(f"FAILED {build}: no test ran")
        return 0, 1
    report = report_of(build)
    total_passed = total_failed = 0
    for test in tests:
        name = test["name"].split(" / ")[-1]
        passed, failed = cases_of(report, test["name"])
        good = test["result"] in ("OK", "EXPECTEDFAIL")
        if good and passed == 0 and not failed:
            passed = 1
        if not good and not failed:
            failed = {"the program": f"{test['result']}, exit status {test.get('returncode')}"}
        for title, message in failed.items():
            print(f"FAILED {build}: {name}: {title}: {message}")
        if not good:
            output = (test.get("stdout", "") + test.get("stderr", "")).splitlines()
            print("\n".join(f"    {line}" for line in output[-OUTPUT_LINES:]))
        total_passed += passed
        total_failed += len(failed)
    print(f"{build}: {total_passed} passed, {total_failed} failed")
    return total_passed, total_failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failures", type=int, default=0, help="failures that are no test's, to be counted")
    parser.add_argument("builds", nargs="*")
    arguments = parser.parse_args()
    passed, failed = 0, arguments.failures
    for build in arguments.builds:
        more_passed, more_failed = count(build)
        passed += more_passed
        failed += more_failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
