# SPDX-License-Identifier: MIT
"""Usage: configure_test.py SOURCE PREFIX: what CMake says to users, with CXX set."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE, PREFIX = sys.argv[1:3]
del sys.argv[1:3]
GCC12 = "g++ 12 silently miscompiles"


class Configure(unittest.TestCase):
    def configure(self, text, *options):
        """What cmake says about a project with these lines."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "CMakeLists.txt").write_text(
                "cmake_minimum_required(VERSION 3.25)\nproject(user LANGUAGES CXX)\n" + text,
                encoding="utf-8")
            command = ["cmake", "-S", path, "-B", path / "build", "-DCMAKE_PREFIX_PATH=" + PREFIX]
            result = subprocess.run([*command, *options], capture_output=True, text=True)
            said = " ".join((result.stdout + result.stderr).split())
            self.assertEqual(result.returncode, 0, said)
            return said

    def is_gcc12(self):
        said = self.configure("message(NOTICE ${CMAKE_CXX_COMPILER_ID}-${CMAKE_CXX_COMPILER_VERSION}-)\n")
        return "GNU-12." in said

    def test_g_plus_plus_12_is_warned_of_once(self):
        expected = int(self.is_gcc12())
        found = "find_package(anyio REQUIRED)\nfind_package(anyio REQUIRED)\n"
        added = f"add_subdirectory({SOURCE} anyio)\n"
        self.assertEqual(self.configure(found).count(GCC12), expected)
        self.assertEqual(self.configure(added).count(GCC12), expected)

    def test_the_warning_can_be_switched_off(self):
        for text in ("find_package(anyio REQUIRED)\n", f"add_subdirectory({SOURCE} anyio)\n"):
            self.assertNotIn("g++ 12", self.configure(text, "-DANYIO_GCC12_WARNING=OFF"))

    def test_testing_is_a_component(self):
        self.configure("find_package(anyio REQUIRED COMPONENTS testing)\n"
                       "if(NOT TARGET anyio::testing)\nmessage(FATAL_ERROR none)\nendif()\n")

    def test_unknown_components_are_not_found(self):
        said = self.configure("find_package(anyio COMPONENTS no_such_part)\n"
                              "message(NOTICE \"found: ${anyio_FOUND}.\")\n")
        self.assertIn("found: FALSE.", said.replace("found: 0.", "found: FALSE."))

    def test_a_test_kit_without_googletest_says_so(self):
        text = f"add_subdirectory({SOURCE} anyio)\n"
        nowhere = ("-DCMAKE_IGNORE_PATH=/usr/include;/usr/local/include", "-DANYIO_IO_URING=OFF",
                   "-DANYIO_TLS=OFF")
        said = self.configure(text, *nowhere)
        self.assertIn("anyio::testing is built without ANYIO_TEST", said)
        self.assertIn("libgtest-dev", said)
        self.assertNotIn("without ANYIO_TEST", self.configure(text, *nowhere, "-DANYIO_GTEST=OFF"))


if __name__ == "__main__":
    unittest.main()
