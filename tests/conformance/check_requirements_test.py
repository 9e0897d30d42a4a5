# SPDX-License-Identifier: Apache-2.0
"""The checker finds what is wrong with a list of requirements."""

import unittest

import check_requirements

LISTING = """Running main() from gtest_main.cc
Plain.
  First
  Second
All/WithValues.
  Each/One  # GetParam() = 1
  Each/Two  # GetParam() = 2
"""


def sections(**row):
    return [{"file": "a.md", "number": "1", "rows": [{"id": "x", "mark": "D", "text": "t"} | row]}]


class CheckRequirements(unittest.TestCase):
    def test_names_of_cases(self):
        self.assertEqual(
            check_requirements.cases_of(LISTING),
            {"Plain.First", "Plain.Second", "WithValues.Each", "WithValues.Each/One", "WithValues.Each/Two",
             "All/WithValues.Each/One", "All/WithValues.Each/Two"},
        )

    def test_a_row_with_an_existing_test_is_good(self):
        self.assertEqual(check_requirements.check(sections(tests=["A.B"]), {"A.B"}), [])

    def test_a_row_with_a_reason_is_good(self):
        self.assertEqual(check_requirements.check(sections(reason="because"), set()), [])

    def test_a_missing_test_is_named(self):
        self.assertIn("A.C", check_requirements.check(sections(tests=["A.B", "A.C"]), {"A.B"})[0])

    def test_neither_or_both_are_wrong(self):
        self.assertEqual(len(check_requirements.check(sections(), set())), 1)
        self.assertEqual(len(check_requirements.check(sections(tests=["A.B"], reason="because"), {"A.B"})), 1)

    def test_a_row_stands_once_and_has_a_mark(self):
        twice = sections(tests=["A.B"]) * 2
        self.assertIn("twice", check_requirements.check(twice, {"A.B"})[0])
        self.assertEqual(len(check_requirements.check(sections(mark="S", tests=["A.B"]), {"A.B"})), 1)

    def test_the_report_counts_and_gives_reasons(self):
        lines = check_requirements.report(sections(tests=["A.B"]) + sections(mark="D/O", reason="because"))
        self.assertEqual(lines[0], "D (documented): 1 of 2 rows have tests")
        self.assertEqual(lines[1], "O (observed): 0 of 1 rows have tests")
        self.assertTrue(any("because" in line for line in lines))


if __name__ == "__main__":
    unittest.main()
