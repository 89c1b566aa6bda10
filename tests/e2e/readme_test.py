"""Runs every command of README.md as a newcomer would, and follows its links."""

import os
import re
import signal
import subprocess
import unittest

import harness

README = (harness.ROOT / "README.md").read_text()


def blocks():
    return re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


class Readme(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.base_port = harness.free_base_port()

    def make(self, *words, **popen):
        """`make`, with the binaries under test in place of a build of its own."""
        environment = harness.clean_environment()
        environment["ARGS"] = f"--base-port {self.base_port} --dir {self.folder / 'var'}"
        return subprocess.Popen(
            ["make", "-o", "release", f"RELEASE={harness.BIN.parent}", *words], cwd=harness.ROOT,
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True, **popen)

    def test_commands_do_what_they_are_there_for(self):
        first, *others = blocks()
        self.assertEqual(first, "make run\n")
        dev = self.make("run")
        self.addCleanup(dev.stdout.close)
        self.addCleanup(dev.wait)
        self.addCleanup(lambda: dev.poll() is None and os.killpg(dev.pid, signal.SIGKILL))
        shown, lines = "", harness.Lines(dev.stdout)
        while str(self.base_port + 3) not in shown:
            line = lines.next()
            self.assertTrue(line, f"it ended:\n{shown}")
            shown += line
        server = harness.Server(self.folder, ports=[self.base_port + i for i in range(4)])
        harness.wait_until(lambda: server.http("/readyz")[0] == 200, 30, "ready")

        environment = {**harness.clean_environment(), "PANDO_ENDPOINTS": server.endpoint}
        environment["PATH"] = f"{harness.BIN}:{environment['PATH']}"
        self.assertTrue(others)
        for block in others:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=harness.ROOT,
                                  env=environment, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, f"{block}\n{done.stdout}{done.stderr}")

        os.killpg(dev.pid, signal.SIGINT)
        dev.wait(harness.STOP_S)
        harness.wait_until(lambda: server.http("/healthz")[0] == 0, 10, "stopped")

    def test_make_knows_every_target_that_is_named(self):
        for page in ("README.md", "CONTRIBUTING.md"):
            for target in set(re.findall(r"\bmake ([a-z]+)", (harness.ROOT / page).read_text())):
                done = subprocess.run(["make", "-n", target], cwd=harness.ROOT,
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, f"{page}: {target}: {done.stderr}")

    def test_links_lead_somewhere(self):
        for page in harness.ROOT.glob("*.md"):
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
                if "://" not in link:
                    self.assertTrue((harness.ROOT / link).exists(), f"{page.name}: {link}")


if __name__ == "__main__":
    unittest.main()
