"""Runs the commands of docs/*.md as a reader does: page by page, from top to bottom, in a folder of
the page's own. pages.py says how a page tells what is special about one of its blocks.
"""

import os
import re
import signal
import subprocess
import unittest

import harness
import pages

PAGES = sorted((harness.ROOT / "docs").glob("*.md"))
# What a block of text would begin with if it were one of commands.
COMMAND = re.compile(
    r"^(\$|pandod? |PANDO_|make |helm |kubectl |docker |systemctl |scripts/|build/)", re.MULTILINE)


class Docs(harness.TestCase):
    def environment(self, server):
        """What leads pando to `server`, and a pandod that is started to its addresses."""
        names = ("CLIENT", "PEER", "HTTP", "ZOOKEEPER")
        return {**server.environment(), "PATH": f"{harness.BIN}:{os.environ['PATH']}",
                **{f"PANDO_LISTEN_{name}": f"127.0.0.1:{port}"
                   for name, port in zip(names, server.ports)}}

    def start(self, block, shell):
        """A block that does not end by itself, until the end of the test."""
        out = shell["cwd"] / "out"
        with open(out, "wb") as file:
            process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", block.text], stdout=file,
                                       stderr=file, start_new_session=True, **shell)
        self.addCleanup(process.wait)
        self.addCleanup(os.killpg, process.pid, signal.SIGKILL)
        try:
            harness.wait_until(lambda: re.search(block.note, out.read_text()), harness.START_S,
                               block.note)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{block.text}{out.read_text()}") from None

    def run_page(self, page):
        wanted = [block for block in pages.blocks(page.read_text())
                  if block.language == "sh" and block.mark != "not run"]
        if not wanted:
            return 0
        folder = self.folder / page.stem
        folder.mkdir()
        server = harness.Server(folder)
        if not any(block.mark == "until stopped" and block.text.startswith("pandod ")
                   for block in wanted):
            server.start()
            self.addCleanup(server.close)
        shell = {"cwd": folder, "env": self.environment(server), "stdin": subprocess.DEVNULL}
        for block in wanted:
            if block.mark == "until stopped":
                self.start(block, shell)
                continue
            before = block.note if block.mark == "before" else ""
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", f"{before}\n{block.text}"],
                                  text=True, capture_output=True, timeout=60, **shell)
            self.assertEqual(done.returncode, 0,
                             f"{page.name}:\n{block.text}{done.stdout}{done.stderr}")
        return len(wanted)

    def test_commands_do_what_the_pages_say(self):
        count = 0
        for page in PAGES:
            with self.subTest(page.name):
                count += self.run_page(page)
        self.assertGreater(count, 5)

    def test_no_block_of_commands_passes_for_text(self):
        for page in PAGES:
            for block in pages.blocks(page.read_text()):
                if block.language != "sh":
                    self.assertIsNone(COMMAND.search(block.text), f"{page.name}:\n{block.text}")

    def test_every_block_is_seen(self):
        for page in PAGES:
            text = page.read_text()
            fences = len(re.findall(r"^\s*```", text, re.MULTILINE))
            self.assertEqual(fences, 2 * len(pages.blocks(text)), page.name)


if __name__ == "__main__":
    unittest.main()
