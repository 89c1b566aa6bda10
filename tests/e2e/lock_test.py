"""Locks and elections: `pando lock` and `pando elect` on three servers, with deaths."""

import json
import os
import re
import signal
import subprocess
import unittest

import harness

REFUSED = 1
USAGE = 2
SESSION_S = 3


class Holder:
    """`pando lock NAME -- sh -c …` (or elect) as a process; its program prints its token first."""

    def __init__(self, environment, command, name, *words, script="echo $PANDO_FENCING_TOKEN; cat"):
        self.process = subprocess.Popen(
            [harness.PANDO, command, name, "--session-timeout", f"{SESSION_S}s", *words, "--",
             "sh", "-c", script],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment)
        self.lines = harness.Lines(self.process.stdout)

    def token(self, timeout_s=20):
        """Once it holds the place."""
        line = self.lines.next(timeout_s)
        assert line, f"it ended: {self.process.communicate(timeout=20)[1]}"
        return int(line)

    def waits(self):
        return self.lines.lines.empty() and self.process.poll() is None

    def end(self):
        """The program comes to its end."""
        self.process.stdin.close()
        return self.process.wait(20)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class LockTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.ensemble = harness.Ensemble(self.folder).start()
        self.addCleanup(self.ensemble.close)

    def holder(self, command="lock", name="/locks/a", *words, first=None, **options):
        holder = Holder(self.ensemble.environment(first), command, name, *words, **options)
        self.addCleanup(holder.close)
        return holder

    def show(self, name="/locks/a"):
        return json.loads(self.ensemble.pando("lock", name, "--show", "-o", "json").stdout)

    def await_waiting(self, count, name="/locks/a"):
        harness.wait_until(lambda: self.show(name)["waiting_count"] == count, 20,
                           f"{count} wait")

    def test_one_at_a_time_in_the_order_of_asking(self):
        leader, followers = self.ensemble.leader(), self.ensemble.followers()
        one = self.holder(first=leader)
        tokens = [one.token()]
        two = self.holder(first=followers[0])
        self.await_waiting(1)
        three = self.holder(first=followers[1])
        self.await_waiting(2)
        shown = self.show()
        self.assertEqual(shown["holder"]["fencing_token"], tokens[0])
        self.assertTrue(two.waits() and three.waits())
        for before, after in ((one, two), (two, three)):
            self.assertEqual(before.end(), 0)
            tokens.append(after.token())
        self.assertEqual(tokens, sorted(set(tokens)))
        self.assertEqual([tokens[1:]], [[place["fencing_token"] for place in shown["waiting"]]])
        three.end()
        self.assertIsNone(self.show()["holder"])

    def test_a_holder_that_dies_frees_it_when_its_session_is_over(self):
        one = self.holder()
        one.token()
        two = self.holder()
        self.await_waiting(1)
        one.process.kill()
        two.token(timeout_s=20)

    def test_who_waits_goes_on_over_the_death_of_its_server_and_of_the_leader(self):
        leader = self.ensemble.leader()
        one = self.holder(first=self.ensemble.followers()[0])
        one.token()
        two = self.holder(first=leader)
        self.await_waiting(1)
        place = self.show()["waiting"][0]
        leader.kill()
        self.ensemble.leader(other_than=leader)
        self.assertTrue(two.waits())
        self.await_waiting(1)
        self.assertEqual(self.show()["waiting"][0]["fencing_token"], place["fencing_token"])
        self.assertEqual(one.end(), 0)
        self.assertEqual(two.token(), place["fencing_token"])

    def test_the_program_is_stopped_before_another_can_have_the_place(self):
        one = self.holder(script="trap 'date +%s%N; exit 0' TERM; echo $PANDO_FENCING_TOKEN; "
                                 "while :; do sleep 0.05; done")
        one.token()
        # Nobody answers the holder any more, and the servers hear nothing of it.
        for server in self.ensemble.servers.values():
            os.kill(server.process.pid, signal.SIGSTOP)
        stopped_ns = int(one.lines.next(20))
        self.assertEqual(one.process.wait(20), REFUSED)
        self.assertIn("the place is lost", one.process.stderr.read())
        for server in self.ensemble.servers.values():
            os.kill(server.process.pid, signal.SIGCONT)
        another = self.holder(script="date +%s%N; cat")
        self.assertLess(stopped_ns, int(another.lines.next(30)))
        another.end()

    def test_waiting_has_an_end_when_it_is_asked_for(self):
        self.holder().token()
        for wait in ("0s", "300ms"):
            refused = self.ensemble.pando("lock", "/locks/a", "--wait", wait, "--", "true",
                                          check=False)
            self.assertEqual(refused.returncode, REFUSED, refused.stderr)
            self.assertIn("TIMEOUT", refused.stderr)
        self.assertEqual(self.show()["waiting_count"], 0)

    def test_a_waiter_that_is_stopped_leaves_the_queue(self):
        self.holder().token()
        two = self.holder()
        self.await_waiting(1)
        two.process.send_signal(signal.SIGTERM)
        self.assertEqual(two.process.wait(20), REFUSED)
        self.await_waiting(0)

    def test_it_ends_as_its_program_does(self):
        run = self.ensemble.pando
        self.assertEqual(run("lock", "/l", "--", "sh", "-c", "exit 7", check=False).returncode, 7)
        killed = run("lock", "/l", "--", "sh", "-c", "kill -9 $$", check=False)
        self.assertEqual(killed.returncode, 137)
        self.assertEqual(run("lock", "/l", "--", "no-such-program", check=False).returncode, USAGE)
        self.assertEqual(run("lock", "/l", check=False).returncode, USAGE)
        bad = run("lock", "no-path", "--", "true", check=False)
        self.assertIn("INVALID_PATH", bad.stderr)
        self.assertIsNone(self.show("/l")["holder"])

    def test_elections_are_seen_by_who_observes(self):
        observer = subprocess.Popen([harness.PANDO, "elect", "/e", "--observe"], text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                    env=self.ensemble.environment())
        self.addCleanup(observer.wait)
        self.addCleanup(observer.kill)
        seen = harness.Lines(observer.stdout)
        self.assertEqual(seen.next(), "-\n")
        ann = self.holder("elect", "/e", "--data", "ann:1")
        first = ann.token()
        self.assertRegex(seen.next(), rf"^{first}\t\d+\tann:1\n$")
        bob = self.holder("elect", "/e", "--data", "bob:2")
        self.await_waiting(1, "/e")
        shown = self.ensemble.pando("elect", "/e", "--show").stdout
        self.assertTrue(re.match(rf"{first}\t", shown), shown)
        ann.end()
        second = bob.token()
        self.assertGreater(second, first)
        self.assertRegex(seen.next(), rf"^{second}\t\d+\tbob:2\n$")
        bob.end()
        self.assertEqual(seen.next(), "-\n")


if __name__ == "__main__":
    unittest.main()
