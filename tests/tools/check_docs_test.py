# SPDX-License-Identifier: MIT
"""tools/check_docs.py finds what is not documented."""

import pathlib
import sys
import tempfile
import unittest

from support import TOOLS

sys.path.insert(0, str(TOOLS))
import check_docs  # noqa: E402


def problems_in(text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "header.hpp"
        path.write_text(text, encoding="utf-8")
        return [problem for _, problem in check_docs.problems_of(path)]


class CheckDocs(unittest.TestCase):
    def test_a_class_needs_a_comment(self):
        self.assertEqual(problems_in("class door {\n};\n"), ["door: no comment"])
        self.assertEqual(problems_in("/// Opens.\nclass door {\n};\n"), [])

    def test_what_is_private_or_a_detail_needs_none(self):
        text = "/// A.\nclass a {\nprivate:\n    struct b {\n    };\n};\n"
        self.assertEqual(problems_in(text), [])
        self.assertEqual(problems_in("namespace detail {\nstruct b {\n};\n}\n"), [])

    def test_what_can_be_awaited_says_what_that_does(self):
        text = "/// Waits.\n/// @threads  loop\ntask<int> wait();\n"
        self.assertEqual(problems_in(text), ["wait: no @checkpoint @cancellation"])

    def test_members_count_too(self):
        text = "/// A.\nclass a {\npublic:\n    /// W.\n    park_operation wait() {\n    }\n};\n"
        self.assertEqual(
            problems_in(text), ["wait: no @checkpoint @cancellation @threads"]
        )

    def test_tags_have_an_order_and_are_known(self):
        text = "/// F.\n/// @anyio  f\n/// @throws g\n/// @color red\nvoid f();\n"
        self.assertEqual(
            problems_in(text),
            ["unknown tag @color", "tags out of order: @anyio @throws @color"],
        )

    def test_comments_behind_braces_do_not_mislead_it(self):
        text = ("namespace a {\nnamespace detail {\nstruct b {\n};\n}  // namespace detail\n\n"
                "class door {\n};\n}  // namespace a\n")
        self.assertEqual(problems_in(text), ["door: no comment"])

    def test_braces_in_literals_macros_and_initializers_do_not_mislead_it(self):
        text = ("#define X(a) \\\n    struct a { \\\n    int b\n"
                "inline const char c = '{';\ninline const char* d = \"}//\";\n"
                "namespace detail {\ninline e::e()\n    : f(\n          [] {\n          },\n"
                "          1\n      ) {}\n}\nclass door {\n};\n")
        self.assertEqual(problems_in(text), ["door: no comment"])

    def test_it_says_when_it_is_lost(self):
        for text in ("namespace a {\n", "}\n", "/// A.\nclass a\n"):
            [problem] = problems_in(text)
            self.assertIn("lost its place", problem)

    def test_a_todo_names_an_issue(self):
        self.assertEqual(problems_in("// TODO later\n"), ["a TODO without an issue"])
        self.assertEqual(problems_in("// TODO(#7): later\n"), [])


if __name__ == "__main__":
    unittest.main()
