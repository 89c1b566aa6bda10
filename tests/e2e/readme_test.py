"""Runs every command of README.md as a newcomer would, and follows its links."""

import os
import re
import signal
import subprocess
import unittest

import harness
import pages

README = (harness.ROOT / "README.md").read_text()
# What a block without language shows is typed at the prompt of `make run`.
PROMPT = "pando> "


class Readme(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.base_port = harness.free_base_port(30)
        self.endpoints = [f"127.0.0.1:{self.base_port + 10 * i}" for i in range(3)]
        self.environment = {**harness.clean_environment(),
                            "PANDO_ENDPOINTS": ",".join(self.endpoints)}
        self.environment["PATH"] = f"{harness.BIN}:{self.environment['PATH']}"

    def make_run(self):
        """`make run`, with the binaries under test in place of a build of its own."""
        environment = harness.clean_environment()
        environment["ARGS"] = f"--base-port {self.base_port} --dir {self.folder / 'var'}"
        dev = subprocess.Popen(
            ["make", "-o", "release", f"RELEASE={harness.BIN.parent}", "run"], cwd=harness.ROOT,
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.addCleanup(dev.stdout.close)
        self.addCleanup(dev.stdin.close)
        self.addCleanup(dev.wait)
        self.addCleanup(lambda: dev.poll() is None and os.killpg(dev.pid, signal.SIGKILL))
        return dev

    def wait_for(self, lines, pattern):
        """What is printed up to the line that matches."""
        shown = ""
        while not re.search(pattern, shown):
            line = lines.next(60)
            self.assertTrue(line, f"it ended without {pattern}:\n{shown}")
            shown += line
        return shown

    def watch(self, block):
        """A block that does not end by itself; returns a function that says what it has shown."""
        out = self.folder / "watch"
        with open(out, "w") as file:
            process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", block], cwd=harness.ROOT, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(os.killpg, process.pid, signal.SIGKILL)

        def streams():
            server = harness.Server(self.folder, ports=[self.base_port + i for i in range(4)])
            return server.metrics().get("pando_watch_streams", 0)

        harness.wait_until(lambda: streams() == 1, 20, "watching")
        return out.read_text

    def test_commands_do_what_they_are_there_for(self):
        first, *others = pages.blocks(README)
        self.assertEqual((first.language, first.text), ("sh", "make run\n"))
        dev = self.make_run()
        lines = harness.Lines(dev.stdout)
        shown = self.wait_for(lines, "Ctrl-C stops them")
        for endpoint in self.endpoints:
            self.assertIn(endpoint, shown)
        watched, typed = None, []
        for _, _, language, block in others:
            if language == "sh" and "pando watch" in block.splitlines()[-1]:
                watched = self.watch(block)
            elif language == "sh":
                done = subprocess.run(["bash", "-euo", "pipefail", "-c", block],
                                      cwd=harness.ROOT, env=self.environment, text=True,
                                      capture_output=True, timeout=60)
                self.assertEqual(done.returncode, 0, f"{block}\n{done.stdout}{done.stderr}")
            else:
                for line in block.splitlines():
                    self.assertTrue(line.startswith(PROMPT), line)
                    command = line.removeprefix(PROMPT)
                    dev.stdin.write(command + "\n")
                    dev.stdin.flush()
                    answer = {"kill": "is killed", "start": "serves", "partition": "is cut off",
                              "heal": "reaches the others", "status": "LEADER"}
                    self.wait_for(lines, answer[command.split()[0]])
                    typed.append(command.split()[0])
        self.assertEqual(set(typed), {"kill", "start", "partition", "heal", "status"})
        for change in ("CREATED      /still-here", "DELETED      /still-here"):
            harness.wait_until(lambda: change in watched(), 20, change)
            self.assertEqual(watched().count(change), 1)

        os.killpg(dev.pid, signal.SIGINT)
        dev.wait(harness.STOP_S)

    def test_make_knows_every_target_that_is_named(self):
        for page in ("README.md", "CONTRIBUTING.md"):
            for target in set(re.findall(r"\bmake ([a-z]+)", (harness.ROOT / page).read_text())):
                done = subprocess.run(["make", "-n", target], cwd=harness.ROOT,
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, f"{page}: {target}: {done.stderr}")

    def test_links_lead_somewhere(self):
        for page in (*harness.ROOT.glob("*.md"), *harness.ROOT.glob("docs/**/*.md")):
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
                if "://" not in link:
                    self.assertTrue((page.parent / link).exists(), f"{page.name}: {link}")


if __name__ == "__main__":
    unittest.main()
