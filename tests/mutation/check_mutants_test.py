# SPDX-License-Identifier: Apache-2.0
"""The checker finds what is wrong with the lists of mutants."""

import os
import tempfile
import unittest

import check_mutants

CODE = "int limit() {\n    return 32;\n}\n"
TEST = "TEST(Limit, IsThirtyTwo) {\n}\nTEST_F(Fixture, Works) {\n}\nINSTANTIATE_TEST_SUITE_P(All, Fixture, Values(1));\n"


def mutant(**changes):
    return {"name": "limit", "file": "src/limit.cpp", "rule": "the limit is 32", "find": "return 32;",
            "replace": "return 33;", "program": "limits", "test": "Limit.IsThirtyTwo"} | changes


class CheckMutants(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        self.write("src/limit.cpp", CODE)
        self.write("tests/limit_test.cpp", TEST)

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def expect_problem(self, text, *mutants):
        problems = check_mutants.problems_of(mutants, self.root)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(text, problems[0])

    def test_a_list_that_fits_has_none(self):
        self.assertEqual(check_mutants.problems_of([mutant()], self.root), [])
        self.assertEqual(check_mutants.problems_of([mutant(test="Fixture.Works")], self.root), [])

    def test_an_empty_list_is_found(self):
        self.expect_problem("empty")

    def test_code_that_has_changed_is_found(self):
        self.expect_problem("occurs 0 times", mutant(find="return 31;"))

    def test_code_that_stands_twice_is_found(self):
        self.write("src/limit.cpp", CODE + CODE)
        self.expect_problem("occurs 2 times", mutant())

    def test_a_file_that_is_gone_is_found(self):
        self.expect_problem("occurs 0 times", mutant(file="src/other.cpp"))

    def test_a_mutant_that_breaks_nothing_is_found(self):
        self.expect_problem("nothing is broken", mutant(replace="return 32;"))

    def test_a_test_that_does_not_exist_is_found(self):
        self.expect_problem("defines the test Limit.IsThirty", mutant(test="Limit.IsThirty"))
        self.expect_problem("defines the test", mutant(test="All.Fixture"))

    def test_equal_names_are_found(self):
        self.expect_problem("twice", mutant(), mutant())

    def test_missing_and_unknown_fields_are_found(self):
        incomplete = mutant()
        del incomplete["rule"]
        self.expect_problem("expected exactly", incomplete)
        self.expect_problem("expected exactly", mutant(reason="none"))

    def test_all_lists_of_the_folder_are_read(self):
        for name in ("b.toml", "a.toml"):
            self.write(f"lists/{name}", f'[[mutant]]\nname = "{name}"\n')
        self.write("lists/meson.build", "[[mutant]]\n")
        self.assertEqual(check_mutants.load(os.path.join(self.root, "lists")), [{"name": "a.toml"}, {"name": "b.toml"}])

    def test_a_copy_becomes_what_the_tree_is(self):
        with tempfile.TemporaryDirectory() as copy:
            check_mutants.synchronise(self.root, copy)
            kept = os.stat(os.path.join(copy, "src/limit.cpp")).st_mtime_ns
            self.write("src/new.cpp", CODE)
            os.remove(os.path.join(self.root, "tests/limit_test.cpp"))
            check_mutants.synchronise(self.root, copy)
            self.assertEqual(check_mutants.tree.files(copy), ["src/limit.cpp", "src/new.cpp"])
            self.assertEqual(os.stat(os.path.join(copy, "src/limit.cpp")).st_mtime_ns, kept)
            with open(os.path.join(copy, "src/limit.cpp"), "w", encoding="utf-8") as file:
                file.write("broken")
            check_mutants.synchronise(self.root, copy)
            self.assertEqual(check_mutants.tree.read(copy, "src/limit.cpp"), CODE)


if __name__ == "__main__":
    unittest.main()
