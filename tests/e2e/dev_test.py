"""`pando dev`: one server or an ensemble, driven as a person would, over a terminal or a pipe."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import signal
import socket
import subprocess
import termios
import unittest

import harness

OK, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 69


class OneServer(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.folder_of_data = self.folder / "var"

    def dev(self, **popen):
        base = harness.free_base_port()
        process = subprocess.Popen(
            [harness.PANDO, "dev", "--servers", "1", "--base-port", str(base), "--dir",
             str(self.folder_of_data)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=harness.clean_environment(), **popen)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)  # its server then ends by itself
        server = harness.Server(self.folder, ports=[base + i for i in range(4)])
        return process, server

    def started(self, process):
        """What it said, until the last line."""
        said, lines = "", harness.Lines(process.stdout)
        while "Ctrl-C" not in said:
            line = lines.next()
            self.assertTrue(line, f"it ended:\n{said}")
            said += line
        return said

    def assert_stops(self, sig, **popen):
        process, server = self.dev(**popen)
        said = self.started(process)
        for port in server.ports:
            self.assertIn(f"127.0.0.1:{port}", said)
        self.assertEqual(server.http("/readyz")[0], 200, "it serves before it says so")
        server.pando("create", "-s", "/n-")
        process.send_signal(sig)
        self.assertEqual(process.wait(harness.STOP_S), OK)
        self.assertEqual(server.http("/healthz")[0], 0, "stopped")

    def test_int_and_term_stop_it_and_its_server(self):
        self.assert_stops(signal.SIGINT)
        self.assert_stops(signal.SIGTERM)
        process, server = self.dev()
        self.started(process)
        self.assertEqual(len(server.pando("ls", "/").stdout.split()), 2, "the data stays")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(harness.STOP_S), OK)

    def test_they_stop_it_also_where_they_were_inherited_ignored(self):
        def ignore():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

        self.assert_stops(signal.SIGINT, preexec_fn=ignore)
        self.assert_stops(signal.SIGTERM, preexec_fn=ignore)

    def test_its_server_does_not_outlive_it(self):
        process, server = self.dev()
        self.started(process)
        process.kill()
        process.wait()
        harness.wait_until(lambda: server.http("/healthz")[0] == 0, 10, "stopped")

    def test_it_ends_when_its_server_cannot_start(self):
        process, server = self.dev()
        self.started(process)
        second = subprocess.run(
            [harness.PANDO, "dev", "--servers", "1", "--base-port", str(server.ports[0] + 10),
             "--dir", str(self.folder_of_data)], capture_output=True, text=True, timeout=30,
            env=harness.clean_environment())
        self.assertEqual(second.returncode, REFUSED, second.stderr)
        self.assertIn("in use", second.stderr)
        self.assertRegex(second.stderr, r"pando: server 1 ended by itself[^\n]*\n\Z")
        self.assertEqual(server.http("/readyz")[0], 200)


class DevEnsemble:
    """`pando dev --servers N` as a process, with what it prints, its standard input and servers."""

    def __init__(self, test, folder, servers=3, base=None, stdin=subprocess.PIPE, **popen):
        self.base = base or harness.free_base_port(10 * servers)
        self.folder = pathlib.Path(folder)
        self.process = subprocess.Popen(
            [harness.PANDO, "dev", "--servers", str(servers), "--base-port", str(self.base),
             "--dir", str(self.folder / "var")],
            stdin=stdin, stdout=popen.pop("stdout", subprocess.PIPE), stderr=subprocess.STDOUT,
            text=True, env=harness.clean_environment(), **popen)
        # Last of all: closing waits for whoever reads.
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                test.addCleanup(stream.close)
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)  # its servers then end by themselves
        self.servers = {
            server_id: harness.Server(folder, server_id=server_id,
                                      ports=[self.base + 10 * (server_id - 1) + i
                                             for i in range(4)])
            for server_id in range(1, servers + 1)}
        self.lines = self.process.stdout and harness.Lines(self.process.stdout)

    def wait_for(self, text, timeout_s=60):
        """What it prints, up to the line that has `text`."""
        said = ""
        while text not in said:
            try:
                line = self.lines.next(timeout_s)
            except AssertionError:
                raise AssertionError(f"no {text!r} within {timeout_s} s:\n{said}") from None
            if not line:
                raise AssertionError(f"it ended without {text!r}:\n{said}")
            said += line
        return said

    def started(self):
        return self.wait_for("stops them")

    def say(self, command, expected, timeout_s=20):
        """Types a command, and waits for its answer."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.wait_for(expected, timeout_s)

    def pando(self, *words, to=None, **run):
        """Runs the CLI against those of `to`, or all."""
        servers = [self.servers[i] for i in to] if to else list(self.servers.values())
        endpoints = ",".join(server.endpoint for server in servers)
        environment = {**harness.clean_environment(), "PANDO_ENDPOINTS": endpoints}
        return servers[0].pando(*words, env=environment, **run)

    def leader(self, to=None, timeout_s=20):
        def leads():
            done = self.pando("status", "-o", "json", to=to, check=False)
            return done.returncode == OK and json.loads(done.stdout)["leader_id"]

        return harness.wait_until(leads, timeout_s, "a leader")

    def all_stopped(self):
        return all(server.http("/healthz")[0] == 0 for server in self.servers.values())


class Ensemble(harness.TestCase):
    def dev(self, servers=3, **options):
        return DevEnsemble(self, self.folder, servers, **options)

    def test_servers_are_killed_and_started_and_it_goes_on(self):
        dev = self.dev()
        said = dev.started()
        for server in dev.servers.values():
            for port in server.ports:
                self.assertIn(f"127.0.0.1:{port}", said)
        self.assertNotIn("pando>", said, "no terminal, no prompt")
        dev.pando("create", "/before", "x")
        for _ in range(2):
            leader = dev.leader()
            dev.say(f"kill {leader}", f"server {leader} is killed")
            dev.say(f"kill {leader}", f"server {leader} does not run")
            self.assertEqual(dev.servers[leader].http("/healthz")[0], 0)
            dev.pando("create", "-s", "/n-")
            shown = dev.say("status", f"server {leader} does not run")
            self.assertRegex(shown, rf"\n +{leader} .* no +no ")
            dev.say(f"start {leader}", f"server {leader} serves")
            dev.say(f"start {leader}", f"server {leader} runs already")
        names = dev.pando("ls", "--linearizable", "/").stdout.split()
        self.assertEqual((len(names), names[0]), (3, "before"))
        dev.say("help", "partition N")
        dev.say("explode", "there is no command explode; help lists them")
        dev.say("kill 4", "1 to 3")
        dev.process.stdin.write("quit\n")
        dev.process.stdin.flush()
        self.assertEqual(dev.process.wait(harness.STOP_S), OK)
        self.assertTrue(dev.all_stopped())

    def test_a_leader_that_is_cut_off_is_replaced_and_learns_what_it_missed(self):
        dev = self.dev()
        dev.started()
        dev.pando("create", "/both", "old")
        cut = dev.leader()
        others = [server_id for server_id in dev.servers if server_id != cut]
        watch = harness.Watcher(
            dev.servers[cut], "/", out=self.folder / "events",
            env={**harness.clean_environment(), "PANDO_ENDPOINTS": ",".join(
                dev.servers[server_id].endpoint for server_id in [cut, *others])})
        self.addCleanup(watch.stop)
        harness.wait_until(lambda: dev.servers[cut].metrics().get("pando_watch_streams") == 1, 10,
                           "watching")
        dev.say(f"partition {cut}", f"server {cut} is cut off")
        dev.say(f"partition {cut}", "already")

        def replaced():
            done = dev.pando("status", "-o", "json", to=others, check=False)
            status = json.loads(done.stdout or "{}")
            return status.get("leader_id") in others and status

        status = harness.wait_until(replaced, 20, "another leader")
        row = next(member for member in status["members"] if member["id"] == cut)
        self.assertTrue(row["answers"], "clients reach it")

        def steps_down():
            return dev.servers[cut].metrics()["pando_raft_leader_id"] != cut

        harness.wait_until(steps_down, 10, "it steps down")
        revision = json.loads(dev.pando("set", "/both", "new", "-o", "json",
                                        to=others).stdout)["stat"]["modify_revision"]
        self.assertEqual(dev.pando("get", "/both", to=[cut]).stdout, "old")
        done = dev.pando("set", "/both", "lost", "--timeout", "2s", to=[cut], check=False)
        self.assertEqual(done.returncode, UNREACHABLE, done.stderr)
        self.assertIn("(NO_LEADER)", done.stderr)
        watch.wait_for(revision, 30)  # it has left the server that lost its leader
        self.assertEqual([event["revision"] for event in watch.events()], [revision])

        dev.say(f"heal {cut}", f"server {cut} reaches the others again")
        dev.say(f"heal {cut}", "is not cut off")

        def caught_up():
            done = dev.pando("get", "/both", "--min-revision", revision, to=[cut], check=False)
            return done.stdout == "new"

        harness.wait_until(caught_up, 20, "caught up")
        self.assertEqual(dev.pando("get", "--linearizable", "/both", to=[cut]).stdout, "new")

    def test_a_server_that_ends_by_itself_is_told_and_the_others_go_on(self):
        dev = self.dev()
        dev.started()
        children = pathlib.Path(f"/proc/{dev.process.pid}/task/{dev.process.pid}/children")
        os.kill(int(children.read_text().split()[1]), signal.SIGKILL)
        said = dev.wait_for("ended by itself")
        self.assertRegex(said, r"pando: server 2 ended by itself, with signal 9 .*server-2\.log")
        dev.pando("create", "/a")
        dev.say("start 2", "server 2 serves")

    def test_a_second_one_on_the_same_ports_says_what_to_do(self):
        dev = self.dev()
        dev.started()
        second = self.dev(base=dev.base)
        self.assertEqual(second.process.wait(harness.START_S), REFUSED)
        self.assertRegex(second.wait_for("\n"), r"in use; is another .*--base-port")
        dev.pando("create", "/a")

    def test_a_server_that_cannot_start_is_told_with_its_last_words(self):
        base = harness.free_base_port(30)
        with socket.create_server(("127.0.0.1", base)):  # where server 1 would listen for clients
            dev = self.dev(base=base)
            self.assertEqual(dev.process.wait(harness.START_S), REFUSED)
            said = dev.wait_for("\n")
        self.assertRegex(said, rf"server 1 ended by itself.*server-1\.log.*:{base}\b")
        self.assertTrue(dev.all_stopped())

    def test_its_servers_do_not_outlive_it(self):
        dev = self.dev()
        dev.started()
        dev.process.kill()
        dev.process.wait()
        harness.wait_until(dev.all_stopped, 15, "stopped")

    def test_the_data_stays_and_its_servers_need_one_another(self):
        dev = self.dev()
        dev.started()
        dev.pando("create", "/a")
        dev.process.send_signal(signal.SIGINT)
        self.assertEqual(dev.process.wait(harness.STOP_S), OK)
        alone = self.dev(servers=1, base=dev.base)
        self.assertEqual(alone.process.wait(harness.STOP_S), USAGE)
        self.assertIn("use --servers 3", alone.wait_for("\n"))
        moved = self.dev(base=dev.base + 1000)
        self.assertEqual(moved.process.wait(harness.STOP_S), USAGE)
        self.assertIn(f"use --base-port {dev.base}", moved.wait_for("\n"))
        again = self.dev(base=dev.base)
        again.started()
        self.assertEqual(again.pando("ls", "/").stdout, "a\n")

    def test_a_server_alone_grows_to_an_ensemble(self):
        alone = self.dev(servers=1, base=harness.free_base_port(30))
        alone.wait_for("Ctrl-C stops it")
        alone.pando("create", "/a", "of old")
        alone.process.send_signal(signal.SIGTERM)
        self.assertEqual(alone.process.wait(harness.STOP_S), OK)
        for _ in range(2):  # made, and started again
            dev = self.dev(base=alone.base)
            dev.started()
            members = json.loads(dev.pando("member", "ls", "-o", "json").stdout)
            self.assertEqual([member["role"] for member in members], ["VOTER"] * 3)
            dev.say("kill 1", "server 1 is killed")
            self.assertEqual(dev.pando("get", "--linearizable", "/a").stdout, "of old")
            dev.pando("create", "-s", "/n-")
            dev.process.send_signal(signal.SIGTERM)
            self.assertEqual(dev.process.wait(harness.STOP_S), OK)


class Terminal(harness.TestCase):
    """A pseudo terminal in the place of a person's."""

    def setUp(self):
        super().setUp()
        self.ours, theirs = pty.openpty()
        os.set_blocking(self.ours, False)
        self.dev = DevEnsemble(
            self, self.folder, stdin=theirs, stdout=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)
        self.addCleanup(os.close, self.ours)
        self.seen = ""

    def wait_for(self, text, timeout_s=60):
        """What has been shown since the last one, up to `text`."""
        def shown():
            with contextlib.suppress(BlockingIOError):
                self.seen += os.read(self.ours, 1 << 16).decode(errors="replace")
            return text in self.seen

        try:
            harness.wait_until(shown, timeout_s, repr(text))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.seen}") from None
        before, self.seen = self.seen.split(text, 1)
        return before

    def type(self, text):
        os.write(self.ours, text.encode())

    def test_a_person_sees_a_prompt_and_control_c_ends_it(self):
        self.wait_for("stops them")
        self.wait_for("pando> ")
        self.type("status\n")
        self.assertIn("LEADER", self.wait_for("pando> "))
        self.type("kill 3\n")
        self.assertIn("server 3 is killed", self.wait_for("pando> "))
        self.type("\x03")
        self.assertEqual(self.dev.process.wait(harness.STOP_S), OK)
        self.assertTrue(self.dev.all_stopped())

    def test_the_end_of_the_input_ends_it(self):
        self.wait_for("pando> ")
        self.type("\x04")
        self.assertEqual(self.dev.process.wait(harness.STOP_S), OK)


if __name__ == "__main__":
    unittest.main()
