# SPDX-License-Identifier: MIT
"""tools/check_output.py tells the expected output from any other."""
import unittest

from support import ToolTest


class CheckOutput(ToolTest):
    def run_on(self, block: str, program: str) -> tuple[int, str]:
        source = self.write("program.cpp", f"int main() {{}}\n\n{block}")
        return self.run_tool("check_output.py", source, "sh", "-c", program)

    def test_the_same_output(self):
        block = "// Output:\n// one\n//\n//   two\n\n"
        status, said = self.run_on(block, "echo one; echo; echo '  two'")
        self.assertEqual((status, said), (0, ""))

    def test_other_output(self):
        status, said = self.run_on("// Output:\n// one\n", "echo two")
        self.assertEqual(status, 1)
        self.assertIn("-one\n+two", said)

    def test_more_and_less_output(self):
        self.assertEqual(self.run_on("// Output:\n// one\n", "echo one; echo two")[0], 1)
        self.assertEqual(self.run_on("// Output:\n// one\n// two\n", "echo one")[0], 1)

    def test_three_dots_stand_for_any_lines(self):
        block = "// Output:\n// one\n// ...\n// two\n"
        self.assertEqual(self.run_on(block, "echo one; seq 1000; echo two")[0], 0)
        self.assertEqual(self.run_on(block, "echo one; echo two")[0], 0)
        self.assertEqual(self.run_on(block, "echo one; seq 9")[0], 1)

    def test_a_program_that_fails(self):
        status, said = self.run_on("// Output:\n// one\n", "echo one; exit 3")
        self.assertEqual(status, 1)
        self.assertIn("exits with 3", said)

    def test_the_block_ends_the_file(self):
        self.assertEqual(self.run_on("// Output:\n// one\nint x;\n", "echo one")[0], 1)
        self.assertEqual(self.run_on("// no block\n", "true")[0], 1)


if __name__ == "__main__":
    unittest.main()
