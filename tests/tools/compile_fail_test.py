# SPDX-License-Identifier: MIT
"""tools/compile_fail.py passes only what fails to compile for the reason that is expected."""
import os
import shutil
import unittest

from support import ToolTest

COMPILER = os.environ.get("CXX", "g++")
FAMILY = "clang" if "clang" in COMPILER else "gcc"
REFUSED = 'static_assert(sizeof(char) == 2, "pass std::ref(x)");\n'


@unittest.skipUnless(shutil.which(COMPILER), "no compiler")
class CompileFail(ToolTest):
    def run_on(self, text: str) -> tuple[int, str]:
        file = self.write("misuse.cpp", text)
        return self.run_tool("compile_fail.py", "--compiler", COMPILER, "--family", FAMILY, file)

    def test_the_expected_sentence(self):
        status, said = self.run_on(f"// EXPECT: pass std::ref\\(x\\)\n{REFUSED}")
        self.assertEqual(status, 0, said)

    def test_every_expectation_counts(self):
        status, said = self.run_on(f"// EXPECT: std::ref\n// EXPECT: nonsense\n{REFUSED}")
        self.assertEqual(status, 1)
        self.assertIn("not said: nonsense", said)

    def test_code_that_compiles(self):
        status, said = self.run_on("// EXPECT: error\nint x;\n")
        self.assertEqual(status, 1)
        self.assertIn("it compiles", said)

    def test_the_source_is_no_message(self):
        status, _ = self.run_on("// EXPECT: pass std::ref\nint x = missing;  // pass std::ref\n")
        self.assertEqual(status, 1)

    def test_a_dropped_nodiscard_is_a_misuse(self):
        source = "[[nodiscard]] int f();\nvoid g() { f(); }\n"
        status, said = self.run_on(f"// EXPECT: nodiscard\n{source}")
        self.assertEqual(status, 0, said)

    def test_expectations_of_one_compiler(self):
        other = "CLANG" if FAMILY == "gcc" else "GCC"
        mine = FAMILY.upper()
        head = f"// EXPECT-{mine}: std::ref\n// EXPECT-{other}: nonsense\n"
        self.assertEqual(self.run_on(head + REFUSED)[0], 0)
        self.assertEqual(self.run_on(f"// EXPECT-{other}: std::ref\n{REFUSED}")[0], 1)
        self.assertEqual(self.run_on(f"// ONLY: {other.lower()}\nint x;\n")[0], 0)

    def test_no_expectation(self):
        self.assertEqual(self.run_on(REFUSED)[0], 1)


if __name__ == "__main__":
    unittest.main()
