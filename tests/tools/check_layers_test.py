# SPDX-License-Identifier: MIT
"""tools/check_layers.py and tools/header_reach.py accept a good tree and refuse bad ones."""
import unittest

from support import TOOLS, ToolTest

LICENCE = "// SPDX-License-Identifier: MIT\n"
HEADER = LICENCE + "#pragma once\n"


def lines(includes) -> str:
    return "".join(f"#include {name}\n" for name in includes)


class CheckLayers(ToolTest):
    def setUp(self):
        super().setUp()
        self.write("tools/layers.toml", (TOOLS / "layers.toml").read_text(encoding="utf-8"))
        self.header("base/time.hpp", "<chrono>")
        self.header("basics/task.hpp", "<anyio/base/time.hpp>")

    def header(self, path: str, *includes: str):
        self.write(f"include/anyio/{path}", HEADER + lines(includes))

    def source(self, path: str, *includes: str):
        self.write(f"src/{path}", LICENCE + lines(includes))

    def assert_refused(self, message: str):
        status, said = self.run_tool("check_layers.py", self.root)
        self.assertIn(message, said)
        self.assertEqual(status, 1)

    def test_a_good_tree_passes(self):
        self.header("base/detail/list.hpp", "<cstddef>")
        self.header("base/queue.hpp", "<anyio/base/detail/list.hpp>")
        self.header("anyio.hpp", "<anyio/basics/task.hpp>")
        self.write("src/basics/loop.hpp", HEADER)
        self.source("basics/task.cpp", "<anyio/basics/task.hpp>", '"basics/loop.hpp"', "<unistd.h>")
        status, said = self.run_tool("check_layers.py", self.root)
        self.assertEqual((status, said), (0, "layers: 7 files, 0 problems, 0 warnings\n"))

    def test_an_include_that_looks_up(self):
        self.header("base/bytes.hpp", "<anyio/basics/task.hpp>")
        self.assert_refused(
            "include/anyio/base/bytes.hpp:3: <anyio/basics/task.hpp> looks up: "
            "base is layer 0, basics is layer 3"
        )

    def test_a_source_that_looks_up(self):
        self.source("base/time.cpp", '"basics/loop.hpp"')
        self.write("src/basics/loop.hpp", HEADER)
        self.assert_refused('src/base/time.cpp:2: "basics/loop.hpp" looks up')

    def test_neighbours(self):
        self.header("signals/signal.hpp")
        self.header("networking/socket.hpp", "<anyio/signals/signal.hpp>")
        self.assert_refused("networking is layer 12, signals is layer 12")

    def test_detail_of_another_chapter(self):
        self.header("base/detail/list.hpp")
        self.header("basics/run.hpp", "<anyio/base/detail/list.hpp>")
        self.assert_refused("<anyio/base/detail/list.hpp> is private to base")

    def test_foreign_headers(self):
        for foreign in ("sys/socket.h", "unistd.h", "liburing.h", "openssl/ssl.h", "asio.hpp"):
            self.header("networking/socket.hpp", f"<{foreign}>")
            self.assert_refused(f"socket.hpp:3: <{foreign}> must not reach users; move it to src/")

    def test_asio_reaches_those_who_ask_for_it(self):
        self.header("backends/asio.hpp", "<asio/io_context.hpp>")
        self.assertEqual(self.run_tool("check_layers.py", self.root)[0], 0)

    def test_a_public_header_that_includes_a_private_one(self):
        self.write("src/basics/loop.hpp", HEADER)
        self.header("basics/run.hpp", '"basics/loop.hpp"')
        self.assert_refused("public headers include public headers")

    def test_a_missing_header(self):
        self.header("basics/run.hpp", "<anyio/basics/rum.hpp>")
        self.assert_refused("<anyio/basics/rum.hpp> does not exist")

    def test_a_circle(self):
        self.header("base/a.hpp", "<anyio/base/b.hpp>")
        self.header("base/b.hpp", "<anyio/base/a.hpp>")
        a, b = "include/anyio/base/a.hpp", "include/anyio/base/b.hpp"
        self.assert_refused(f"includes itself: {a} -> {b} -> {a}")

    def test_an_unknown_chapter(self):
        self.header("misc/things.hpp")
        self.assert_refused("'misc' is no chapter of tools/layers.toml")

    def test_heads(self):
        self.write("include/anyio/base/a.hpp", "int a();\n")
        self.assert_refused("a.hpp:1: no `#pragma once`")
        self.assert_refused("a.hpp:1: no line `// SPDX-License-Identifier: MIT`")

    def test_sizes(self):
        self.write("include/anyio/base/long.hpp", HEADER + "\n" * 400)
        status, said = self.run_tool("check_layers.py", self.root)
        self.assertIn("long.hpp:402: warning: 402 lines, over 300", said)
        self.assertEqual(status, 0)
        self.write("include/anyio/base/long.hpp", HEADER + "\n" * 600)
        self.assert_refused("long.hpp:602: 602 lines, over 500")

    def test_depth(self):
        self.header("base/detail/list/node.hpp")
        self.assert_refused("node.hpp:1: deeper than 2 folders")

    def test_reach(self):
        self.assertEqual(self.run_tool("header_reach.py", self.root)[0], 0)
        self.write("include/anyio/base/long.hpp", HEADER + "\n" * 2600)
        self.header("basics/task.hpp", "<anyio/base/long.hpp>")
        status, said = self.run_tool("header_reach.py", self.root)
        self.assertIn("basics/task.hpp:1: warning: reaches 2605 lines, over 2500", said)
        self.assertEqual(status, 0)
        self.write("include/anyio/base/long.hpp", HEADER + "\n" * 16000)
        status, said = self.run_tool("header_reach.py", self.root)
        self.assertIn("basics/task.hpp:1: reaches 16005 lines, over 15000", said)
        self.assertEqual(status, 1)


if __name__ == "__main__":
    unittest.main()
