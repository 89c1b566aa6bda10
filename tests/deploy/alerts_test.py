"""Each alert whose condition can be caused on one machine is raised by causing it, in real servers
that a real Prometheus scrapes, and is silent again when it is over. The rules are the project's,
but for how long they wait (hasten.py).

Run by `make alerts-test`. Needs root and strace, for a small disk and a slow one.
"""

import contextlib
import signal
import socket
import subprocess
import threading
import unittest

import names_test
import prometheus
from prometheus import harness
import http2  # this and the next two lie beside the harness
from certs import Certs
from protobuf import field

RAISED_S = 60
# How long pandod lets a client that has connected say nothing.
SILENCE_S = 10
# Those that are not caused here, and why: promtool's unit tests have them (alerts_test.yaml).
NOT_CAUSED = {
    "PandoOverloaded": "needs 256 MiB that wait for a disk",
    "PandoStoreLags": "needs 128 MiB that wait for a disk",
    "PandoPeerQueue": "needs 16 MiB that wait for a network",
    "PandoSlowPeers": "needs a slow network",
    "PandoSnapshotsFail": "needs a member that fails three times over",
    "PandoDigestMismatch": "needs a defect",
}


class SmallDisk(harness.Server):
    """One that may open few files, and whose data dir is on a file system of 700 MiB of its own."""

    # Half of them are for clients' connections. Of a larger number that half, and the 26 that it
    # has open by itself, would be too few for the alert.
    FILES_MAX = 70

    def command(self, *more):
        prepare = 'mount -t tmpfs -o size=700m tmpfs "$0" && ulimit -n "$1" && shift && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", prepare, str(self.data_dir.parent),
                str(self.FILES_MAX), *super().command(*more)]


class Raised(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.ensemble = harness.Ensemble(self.folder)
        self.addCleanup(self.ensemble.close)
        self.ensemble.start()
        disk = self.folder / "disk"
        disk.mkdir()
        self.certs = Certs(self.folder / "certs")
        self.small = SmallDisk(self.folder, *self.certs.peer_flags(), server_id=9,
                               data_dir=disk / "data")
        self.addCleanup(self.small.close)
        self.small.start()
        self.prometheus = prometheus.Prometheus(
            self.folder, self.ensemble.servers.values(), [self.small])
        self.addCleanup(self.prometheus.close)
        harness.wait_until(lambda: self.prometheus.scrapes(4), 30, "scraped")
        self.raised = set()

    def wait_while(self, left):
        """Until nothing is left; otherwise says what is."""
        try:
            harness.wait_until(lambda: not left(), RAISED_S, "none left")
        except AssertionError as error:
            raise AssertionError(f"{error}: {left()}") from None

    def wait_for(self, *wanted, ensemble="pando"):
        """Alerts by name, or by (name, its peer or reason)."""
        def missing():
            firing = self.prometheus.firing(ensemble)
            names = {name for name, _ in firing}
            return [one for one in wanted if one not in firing and one not in names]

        self.wait_while(missing)
        self.raised |= {one if isinstance(one, str) else one[0] for one in wanted}

    def wait_for_peace(self, ensemble="pando", but=frozenset()):
        """Those that were caused are silent. A machine that is busy may raise others."""
        self.wait_while(lambda: {name for name, _ in self.prometheus.firing(ensemble)} &
                        self.raised - but)

    def test_each_is_raised_by_what_it_is_for(self):
        self.assertEqual(self.prometheus.firing("pando"), set())
        for cause in (self.member_stops, self.leaders_change, self.stranger_calls,
                      self.disk_is_slow, self.majority_dies):
            with self.subTest(cause.__name__):
                cause()
                self.wait_for_peace()
        self.disk_fills()
        self.certificate_ends()
        self.files_run_out()
        alerts = set(names_test.re.findall(r"- alert: (\w+)", names_test.ALERTS.read_text()))
        self.assertEqual(alerts - self.raised, set(NOT_CAUSED))

    def member_stops(self):
        stuck, _ = self.ensemble.followers()
        files = self.folder / "files"
        files.mkdir()
        for i in range(1500):
            (files / str(i)).write_text("x")
        stuck.process.send_signal(signal.SIGSTOP)
        try:
            self.ensemble.pando("import", files, "/files", first=self.ensemble.leader())
            peer = str(stuck.id)
            self.wait_for(("PandoMemberLags", peer), ("PandoPeerUnreachable", peer),
                          "PandoServerDown", "PandoNoSpareServer")
        finally:
            stuck.process.send_signal(signal.SIGCONT)

    def leaders_change(self):
        for _ in range(6):
            self.ensemble.pando("leader", "transfer")
            self.ensemble.leader()
        self.wait_for("PandoLeaderUnsettled")

    def stranger_calls(self):
        """A peer port, which does not understand it."""
        port = self.ensemble.leader().ports[1]
        with http2.Call(port, "/pando.internal.v1.PeerService/Channel") as call:
            call.send(field(b"\xff" * 100))
            call.read_to_end()
        self.wait_for(("PandoPeerRefused", "UNREADABLE"))

    def disk_is_slow(self):
        leader = self.ensemble.leader()
        with self.slow_syncs(leader), self.all_the_while(self.write):
            self.wait_for("PandoSlowSync")

    @contextlib.contextmanager
    def slow_syncs(self, server):
        """Each sync of the log takes 200 ms longer."""
        strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", "trace=fdatasync", "-e",
             "inject=fdatasync:delay_exit=200000", "-o", "/dev/null", "-p",
             str(server.process.pid)])
        try:
            yield
        finally:
            strace.terminate()
            strace.wait(harness.STOP_S)

    @contextlib.contextmanager
    def all_the_while(self, act):
        """Somebody does that again and again. It gets the event that ends it."""
        over = threading.Event()

        def repeat():
            while not over.is_set():
                act(over)

        thread = threading.Thread(target=repeat)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def write(self, _):
        self.ensemble.pando("create", "-s", "/written-", "x", check=False)

    def connect_and_be_silent(self, over):
        """As many as the server may have files, until it has ended them."""
        with contextlib.ExitStack() as held:
            for _ in range(SmallDisk.FILES_MAX):
                held.enter_context(socket.create_connection(("127.0.0.1", self.small.ports[0])))
            over.wait(SILENCE_S + 2)

    def majority_dies(self):
        followers = self.ensemble.followers()
        for server in followers:
            server.kill()
        self.wait_for("PandoNoLeader", "PandoNoMajority", "PandoServerNotReady", "PandoServerDown")
        for server in followers:
            server.spawn()
        for server in followers:
            server.wait_ready()

    def disk_fills(self):
        self.wait_for("PandoDiskNearlyFull", ensemble="others")
        filler = f"/proc/{self.small.process.pid}/root{self.small.data_dir.parent}/filler"
        subprocess.run(["fallocate", "-l", "500M", filler], check=True)
        self.wait_for("PandoNoSpace", ensemble="others")
        subprocess.run(["rm", filler], check=True)
        self.wait_for_peace("others", but={"PandoDiskNearlyFull"})

    def certificate_ends(self):
        """It is renewed twice for too short a time, then as it should be."""
        for days, alert in ((3, "PandoCertificateExpiresSoon"), (-1, "PandoCertificateExpired"),
                            (30, None)):
            self.certs.sign("server", days, "127.0.0.1")
            if alert:
                self.wait_for(alert, ensemble="others")
        self.wait_for_peace("others", but={"PandoDiskNearlyFull"})

    def files_run_out(self):
        with self.all_the_while(self.connect_and_be_silent):
            self.wait_for("PandoFileDescriptors", ensemble="others")
            self.wait_for(("PandoConnectionsRefused", "SILENT"), ensemble="others")


if __name__ == "__main__":
    unittest.main()
