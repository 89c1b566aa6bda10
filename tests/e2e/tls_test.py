"""TLS on the port for clients: who is let in, and that both sides say why somebody is not."""

import contextlib
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import unittest

import harness
from certs import Certs

UNREACHABLE, REFUSED, USAGE = 69, 1, 2


class TlsTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.certs = Certs(self.folder / "certs", clients=("client", "alice"))

    def other_certs(self):
        return Certs(self.folder / "other")

    def start(self, *flags):
        server = self.server(*flags)
        if any(flag.startswith("--tls-cert") for flag in flags):
            server.https = ssl._create_unverified_context()
        return server.start()

    def assert_logged(self, server, *words):
        def logged():
            return any(all(word in line for word in words)
                       for line in server.log_path.read_text().splitlines())

        harness.wait_until(logged, 10, f"{words} in the log:\n{server.log()}")

    def assert_fails(self, server, flags, *words, status=REFUSED):
        """Quickly, with one line that has the words."""
        done = server.pando("ls", "/", *flags, "--timeout", "60s", check=False, timeout_s=30)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in (server.endpoint, *words):
            self.assertIn(word, done.stderr)

    def assert_serves(self, server, flags):
        self.assertEqual(server.pando("health", *flags).stdout, "SERVING\n")


class Allowed(TlsTest):
    def test_a_client_with_a_certificate(self):
        server = self.start(*self.certs.server_flags())
        flags = self.certs.client_flags()
        server.pando("create", "/a", "x", *flags)
        self.assertEqual(server.pando("get", "/a", *flags).stdout, "x")
        self.assert_serves(server, self.certs.client_flags("alice"))
        self.assert_logged(server, "certificate in use", "port=client", "CN=server")

    def test_variables_say_the_same(self):
        server = self.start(*self.certs.server_flags())
        names = {"CA": "ca.crt", "CERT": "client.crt", "KEY": "client.key"}
        variables = {f"PANDO_TLS_{name}": self.certs.path(file) for name, file in names.items()}
        done = server.pando("health", env={**server.environment(), **variables})
        self.assertEqual(done.stdout, "SERVING\n")

    def test_a_server_that_asks_for_no_certificate(self):
        server = self.start(*self.certs.server_flags(mutual=False))
        self.assert_serves(server, self.certs.client_flags(None))

    def test_a_server_by_another_name(self):
        certs = self.certs
        certs.sign("named", 30, "pando.example")
        server = self.start(*certs.server_flags("named"))
        self.assert_serves(server, [*certs.client_flags(), "--tls-server-name", "pando.example"])

    def test_tls_from_1_2_on(self):
        server = self.start(*self.certs.server_flags(mutual=False))
        for version, good in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                              (ssl.TLSVersion.TLSv1_3, True)):
            with self.subTest(version), socket.create_connection(
                    ("127.0.0.1", server.ports[0]), 10) as connection:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.load_verify_locations(self.certs.path("ca.crt"))
                context.set_ciphers("ALL:@SECLEVEL=0")
                context.set_alpn_protocols(["h2"])
                context.minimum_version = context.maximum_version = version
                try:
                    with context.wrap_socket(connection, server_hostname="127.0.0.1") as shaken:
                        self.assertTrue(good, shaken.version())
                except (ssl.SSLError, ConnectionError) as error:
                    self.assertFalse(good, error)


class Refused(TlsTest):
    def test_a_client_that_trusts_another_ca(self):
        server = self.start(*self.certs.server_flags(mutual=False))
        other = self.other_certs()
        self.assert_fails(server, other.client_flags(None), "is signed by", "Pando try-out CA",
                          "which is no CA of", other.path("ca.crt"))
        self.assert_fails(server, ["--tls"], "which is no CA of this system")

    def test_a_server_whose_certificate_has_expired(self):
        self.certs.sign("old", -1, "127.0.0.1")
        server = self.start(*self.certs.server_flags("old"))
        self.assert_fails(server, self.certs.client_flags(), "the server's certificate has expired")
        self.assert_logged(server, "the certificate has expired", "port=client", "CN=old")

    def test_a_server_of_another_name(self):
        self.certs.sign("named", 30, "pando.example", "10.1.2.3")
        server = self.start(*self.certs.server_flags("named"))
        self.assert_fails(server, self.certs.client_flags(),
                          "is for pando.example, 10.1.2.3, not for 127.0.0.1")

    def test_a_client_without_a_certificate(self):
        server = self.start(*self.certs.server_flags())
        self.assert_fails(server, self.certs.client_flags(None), "demands a client certificate",
                          "--tls-cert")
        self.assert_logged(server, "refused a connection", "port=client", "reason=NO_CERTIFICATE",
                           "caller=127.0.0.1:")

    def test_a_client_with_a_certificate_of_another_ca(self):
        server = self.start(*self.certs.server_flags())
        other = self.other_certs()
        own = ["--tls-cert", other.path("client.crt"), "--tls-key", other.path("client.key")]
        self.assert_fails(server, ["--tls-ca", self.certs.path("ca.crt"), *own],
                          "does not take the client certificate", other.path("client.crt"))
        self.assert_logged(server, "refused a connection", "reason=CERTIFICATE", "CN=client",
                           "none of the trusted CAs", "caller=127.0.0.1:")

    def test_a_client_that_sends_the_trusted_ca_with_a_certificate_of_another(self):
        server = self.start(*self.certs.server_flags())
        other = self.other_certs()
        with open(other.path("client.crt"), "a") as chain:
            chain.write((self.certs.folder / "ca.crt").read_text())
        own = ["--tls-cert", other.path("client.crt"), "--tls-key", other.path("client.key")]
        self.assert_fails(server, ["--tls-ca", self.certs.path("ca.crt"), *own],
                          "does not take the client certificate")
        self.assert_logged(server, "reason=CERTIFICATE", "CN=client")

    def test_a_client_whose_certificate_has_expired(self):
        server = self.start(*self.certs.server_flags())
        self.certs.sign("old", -1)
        self.assert_fails(server, self.certs.client_flags("old"), "does not take", "has expired at")
        self.assert_logged(server, "refused a connection", "reason=CERTIFICATE", "CN=old",
                           "has expired", "caller=127.0.0.1:")

    def test_the_address_of_who_is_refused_while_others_shake_hands(self):
        server = self.start(*self.certs.server_flags())
        self.certs.sign("old", -1)
        with contextlib.ExitStack() as held:
            for host in range(2, 7):
                # The first byte of a handshake, and nothing more.
                silent = held.enter_context(socket.create_connection(
                    ("127.0.0.1", server.ports[0]), 10, source_address=(f"127.0.0.{host}", 0)))
                silent.sendall(b"\x16")
            address = self.refused_from(server, "127.0.0.99", "old")
        self.assert_logged(server, "reason=CERTIFICATE", "CN=old", f"caller={address}")

    def refused_from(self, server, host, name):
        """Who was refused there: its address and port."""
        with socket.create_connection(("127.0.0.1", server.ports[0]), 10,
                                      source_address=(host, 0)) as connection:
            address = ":".join(map(str, connection.getsockname()))
            context = ssl._create_unverified_context()
            context.set_alpn_protocols(["h2"])
            context.load_cert_chain(self.certs.path(f"{name}.crt"), self.certs.path(f"{name}.key"))
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                with context.wrap_socket(connection) as shaken:
                    self.assertEqual(shaken.recv(100), b"")
        return address

    def test_a_certificate_that_is_for_servers_only(self):
        server = self.start(*self.certs.server_flags())
        self.certs.sign("service", 30, usage="serverAuth")
        self.assert_fails(server, self.certs.client_flags("service"), "does not take")
        self.assert_logged(server, "reason=CERTIFICATE", "CN=service", "is not for TLS clients")

    def test_plaintext_to_a_port_with_tls(self):
        server = self.start(*self.certs.server_flags())
        self.assert_fails(server, [], "speaks TLS", "--tls-ca")
        self.assert_logged(server, "refused a connection", "reason=PLAINTEXT", "caller=127.0.0.1:")

    def test_tls_to_a_port_without(self):
        server = self.start()
        self.assert_fails(server, self.certs.client_flags(), "does not speak TLS")
        self.assert_logged(server, "refused a connection", "reason=TLS", "caller=127.0.0.1:")

    def test_what_is_refused_often_is_logged_once_a_second(self):
        server = self.start(*self.certs.server_flags())
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", server.ports[0]), 10) as connection:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(b"PRI")
                    self.assertEqual(connection.recv(1), b"")
        self.assertLess(server.log_path.read_text().count("reason=PLAINTEXT"), 20)


class Files(TlsTest):
    def assert_does_not_start(self, flags, *words):
        status, output = self.server(*flags).run_to_end()
        self.assertEqual(status, 1, output)
        for word in words:
            self.assertIn(word, output)

    def test_a_server_says_what_is_wrong_with_its_files(self):
        certs = self.certs
        shutil.copy(certs.path("alice.key"), certs.path("mixed.key"))
        shutil.copy(certs.path("server.crt"), certs.path("mixed.crt"))
        self.assert_does_not_start(certs.server_flags("mixed"), "mixed.key is not the key of")
        self.assert_does_not_start(certs.server_flags("none"), "cannot read", "none.crt")
        (certs.folder / "broken.crt").write_text("-----BEGIN CERTIFICATE-----\nMII\n")
        shutil.copy(certs.path("server.key"), certs.path("broken.key"))
        self.assert_does_not_start(certs.server_flags("broken"), "broken.crt")
        flags = [f"--tls-cert={certs.path('server.crt')}", f"--tls-key={certs.path('ca.crt')}"]
        self.assert_does_not_start(flags, "ca.crt: no PEM private key")

    def test_a_client_says_what_is_wrong_with_its_files(self):
        server = self.start(*self.certs.server_flags())
        for flags, words in ((["--tls-ca", "/none"], "/none"),
                             (["--tls-cert", self.certs.path("client.crt")], "--tls-key")):
            done = server.pando("ls", "/", *flags, check=False)
            self.assertEqual(done.returncode, USAGE, done.stderr)
            self.assertIn(words, done.stderr)

    def test_keys_are_their_owners_only(self):
        for name in ("ca", "server", "client", "alice"):
            mode = os.stat(self.certs.path(f"{name}.key")).st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_certificates_are_renewed_by_the_same_ca(self):
        before = (self.certs.folder / "ca.crt").read_text()
        server = (self.certs.folder / "server.crt").read_text()
        Certs(self.certs.folder, "pando.example")
        self.assertEqual((self.certs.folder / "ca.crt").read_text(), before)
        self.assertNotEqual((self.certs.folder / "server.crt").read_text(), server)


class Docs(TlsTest):
    def test_the_commands_of_docs_security(self):
        page = (harness.ROOT / "docs/security.md").read_text()
        first, _, second = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        environment = harness.clean_environment()
        environment["PATH"] = f"{harness.BIN}:{environment['PATH']}"

        def run(block):
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=self.folder,
                                  env=environment, text=True, capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, f"{block}\n{done.stdout}{done.stderr}")
            return done.stdout

        shutil.rmtree(self.folder / "certs")
        run(first)
        server = self.start(*self.certs.server_flags(), *self.certs.peer_flags())
        environment["PANDO_ENDPOINTS"] = server.endpoint
        self.assertIn("x509:CN=alice,O=Pando try-out", run(second))
        # Nobody else may read it.
        Certs(self.folder / "certs", clients=("bob",))
        done = server.pando("get", "/of-alice", *self.certs.client_flags("bob"), check=False)
        self.assertEqual(done.returncode, REFUSED, done.stdout)
        self.assertIn("PERMISSION_DENIED", done.stderr)


if __name__ == "__main__":
    unittest.main()
