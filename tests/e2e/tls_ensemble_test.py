"""TLS among servers: only members speak to one another; certificates are renewed while all run."""

import contextlib
import http.client
import shutil
import socket
import ssl
import unittest

import harness
from certs import Certs

NAMED = "127.0.0.1"
# The files are looked at every 5 s, and what is in memory every second.
RELOAD_S = 20


class TlsEnsembleTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.certs = Certs(self.folder / "certs", clients=("client", "alice"))

    def ensemble(self, *flags, count=3):
        ensemble = harness.Ensemble(self.folder, *flags, count=count)
        self.addCleanup(ensemble.close)
        if any(flag.startswith("--tls-cert") for flag in flags):
            for server in ensemble.servers.values():
                server.https = ssl._create_unverified_context()
        return ensemble

    def assert_logged(self, server, *words, timeout_s=10):
        def logged():
            return any(all(word in line for word in words)
                       for line in server.log_path.read_text().splitlines())

        harness.wait_until(logged, timeout_s, f"{words} in the log:\n{server.log()}")


class Members(TlsEnsembleTest):
    def test_an_ensemble_on_all_ports(self):
        ensemble = self.ensemble(*self.certs.server_flags(), *self.certs.peer_flags()).start()
        flags = self.certs.client_flags()
        for i, server in ensemble.servers.items():
            server.pando("create", f"/n{i}", "x", *flags)
        harness.wait_until(lambda: ensemble.pando("status", "-o", "json", *flags)
                           .stdout.count('"answers":true') == 3, 20, "all answer one another")
        self.assertEqual(ensemble.pando("whoami", "-o", "json", *self.certs.client_flags("alice"))
                         .stdout.count("x509:CN=alice,O=Pando try-out"), 1)

    def test_a_server_without_a_members_name_is_refused(self):
        """It has a certificate of the right CA, and says it is server 3."""
        self.certs.sign("intruder", 30, "intruder.example")
        ensemble = self.ensemble(count=3)
        for server in ensemble.servers.values():
            server.flags += self.certs.peer_flags("intruder" if server.id == 3 else "server")
            server.spawn()
        first, third = ensemble.servers[1], ensemble.servers[3]
        self.assert_logged(first, "refused a server", "reason=WRONG_NAME", "CN=intruder",
                           "intruder.example", "server 3 is 127.0.0.1", "caller=ipv4:127.0.0.1:")
        self.assert_logged(third, "no channel to peer", "CN=intruder", "server 3 is 127.0.0.1")
        # Nor does anybody call a server whose certificate is another's.
        self.assert_logged(first, "no channel to peer", "peer=3", "not in peer certificate")
        # They do not form an ensemble with it.
        self.assertEqual(first.http("/readyz")[0], 503)

    def shake(self, server, folder, name):
        """The peer port ends the connection before it answers anything."""
        with socket.create_connection((NAMED, server.ports[1]), 10) as connection:
            context = ssl._create_unverified_context()
            context.set_alpn_protocols(["h2"])
            if name:
                context.load_cert_chain(folder.path(f"{name}.crt"), folder.path(f"{name}.key"))
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                with context.wrap_socket(connection) as shaken:
                    shaken.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                    self.assertEqual(shaken.recv(100), b"")

    def test_who_has_no_certificate_of_the_ca_gets_nowhere(self):
        server = self.server(*self.certs.peer_flags()).start()
        other = Certs(self.folder / "other")
        other.sign("member", 30, NAMED)
        self.certs.sign("old", -1, NAMED)
        for folder, name, words in ((other, "member", ("CERTIFICATE", "none of the trusted CAs")),
                                    (self.certs, "old", ("CERTIFICATE", "has expired")),
                                    (None, None, ("NO_CERTIFICATE", "shows no certificate"))):
            def refused(folder=folder, name=name, words=words):
                """Tried again, because of each reason only one a second is logged."""
                self.shake(server, folder, name)
                said = ("refused a connection", "caller=127.0.0.1:", *words)
                return any(all(word in line for word in said)
                           for line in server.log_path.read_text().splitlines())

            with self.subTest(name):
                harness.wait_until(refused, 10, f"{words} in the log")
        with socket.create_connection((NAMED, server.ports[1]), 10) as plain:
            plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.assert_logged(server, "refused a connection", "port=peer", "PLAINTEXT")


class Renewal(TlsEnsembleTest):
    def renew(self, *names):
        """As if the CA had been lost: nothing of the old folder is good any more."""
        fresh = Certs(self.folder / "fresh", clients=("client", "alice"))
        for name in names:
            shutil.copy(fresh.path(name), self.certs.path(name))
        return fresh

    def serial(self, server, port):
        """Of the certificate that a port shows."""
        context = ssl._create_unverified_context()
        context.set_alpn_protocols(["h2"])
        with socket.create_connection((NAMED, server.ports[port]), 10) as connection:
            with context.wrap_socket(connection) as shaken:
                return shaken.getpeercert(binary_form=True)

    def test_a_new_certificate_and_a_new_ca_without_a_restart(self):
        flags = [*self.certs.server_flags(), *self.certs.peer_flags()]
        ensemble = self.ensemble(*flags).start()
        server = ensemble.servers[1]
        old = {port: self.serial(server, port) for port in (0, 1, 2)}
        held = harness.Watcher(server, "/", *self.certs.client_flags(), out=self.folder / "events")
        self.addCleanup(held.stop)
        # Half of it, as who writes one file after the other leaves it: the old stay in use.
        fresh = self.renew("server.key")
        self.assert_logged(server, "certificates cannot be reloaded", "is not the key of",
                           timeout_s=RELOAD_S)
        self.assertEqual(self.serial(server, 0), old[0])
        self.renew("server.key", "server.crt", "ca.crt", "client.crt", "client.key")
        for port in (0, 1, 2):
            harness.wait_until(lambda p=port: self.serial(server, p) != old[p], RELOAD_S,
                               f"another certificate on port {port}")
        flags = fresh.client_flags()
        written = harness.wait_until(
            lambda: not ensemble.pando("create", "/a", "x", *flags, "--timeout", "2s", check=False,
                                       first=server).returncode, RELOAD_S, "a write")
        self.assertTrue(written)
        # Connections that were there stay.
        harness.wait_until(lambda: any("/a" in str(event) for event in held.events()), 10,
                           "the watch goes on")
        # The old CA is worth nothing now.
        old_ca = Certs(self.folder / "third")
        done = ensemble.pando("ls", "/", *old_ca.client_flags(), check=False, timeout_s=10)
        self.assertIn("is no CA of", done.stderr)
        # And servers find each other again under the new one.
        third = ensemble.servers[3]
        third.stop()
        third.start()

    def test_metrics_say_when_it_ends(self):
        server = self.server(*self.certs.server_flags(), *self.certs.peer_flags())
        server.https = self.certs.https()
        server.start()
        metrics = server.metrics()
        ends = ssl.cert_time_to_seconds(
            ssl._ssl._test_decode_cert(self.certs.path("server.crt"))["notAfter"])
        for port in ("client", "peer", "http"):
            name = f'pando_certificate_expiry_timestamp_seconds{{port="{port}"}}'
            self.assertEqual(metrics[name], ends)
        self.assertIn('pando_connections_refused_total{port="client",reason="CERTIFICATE"}',
                      metrics)


class Http(TlsEnsembleTest):
    def test_it_speaks_tls_with_the_clients_certificate(self):
        server = self.server(*self.certs.server_flags())
        server.https = self.certs.https()
        server.start()
        self.assertEqual(server.http("/healthz")[0], 200)
        with self.assertRaises((http.client.HTTPException, OSError)):
            connection = http.client.HTTPConnection(NAMED, server.ports[2], timeout=10)
            connection.request("GET", "/healthz")
            connection.getresponse()
        self.assert_logged(server, "refused a connection", "port=http", "http request",
                           "caller=127.0.0.1:")

    def test_it_may_demand_a_certificate(self):
        server = self.server(*self.certs.server_flags(),
                             f"--http-tls-client-ca={self.certs.path('ca.crt')}")
        server.https = self.certs.https("alice")
        server.start()
        server.https = self.certs.https()
        self.assertEqual(server.http("/healthz")[0], 0)
        self.assert_logged(server, "refused a connection", "port=http",
                           "peer did not return a certificate")


if __name__ == "__main__":
    unittest.main()
