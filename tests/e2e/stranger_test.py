"""The client port against whoever can reach it: what the public weaknesses of gRPC 1.51 do here,
and what a stranger can make the port cost. SECURITY.md has the results."""

import contextlib
import pathlib
import resource
import socket
import ssl
import struct
import time
import unittest

import harness
import http2
from certs import Certs

GET = "/pando.v1.TreeService/Get"
CONTINUATION = 9
# What a server may grow by under everything that this test does to it.
GROWTH_BYTES_MAX = 192 << 20
# Under 64 MiB of headers, of which it may keep nothing for long.
HEADERS_GROWTH_BYTES_MAX = 48 << 20


def integer(value, prefix_bits, first=0):
    """RFC 7541, 5.1."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes([first | value])
    out, value = bytes([first | limit]), value - limit
    while value >= 128:
        out, value = out + bytes([value % 128 + 128]), value // 128
    return out + bytes([value])


def literal(name, value):
    """A header that is not put into the table, its value of any length."""
    return b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value


def descriptors(server):
    return len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()))


class Stranger(harness.TestCase):
    def connect(self, server):
        connection = socket.create_connection(("127.0.0.1", server.ports[0]), 10)
        self.addCleanup(connection.close)
        return connection

    def http2(self, server):
        connection = self.connect(server)
        connection.sendall(http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0))
        return connection

    def drain(self, connection):
        """Reads what is there and throws it away; False: the server has ended the connection."""
        connection.setblocking(False)
        try:
            while True:
                if not connection.recv(1 << 16):
                    return False
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        finally:
            connection.settimeout(10)

    def assert_serves(self, server, *flags, within_s=5):
        started = time.monotonic()
        server.pando("ls", "/", *flags, "--timeout", f"{within_s}s")
        self.assertIsNone(server.process.poll(), server.log())
        return time.monotonic() - started

    def assert_refused(self, server, reason):
        name = f'pando_connections_refused_total{{port="client",reason="{reason}"}}'
        harness.wait_until(lambda: server.metrics()[name] > 0, 20, name)
        self.assertIn(f"refused a connection port=client reason={reason}",
                      server.log_path.read_text())

    # --- Connections --------------------------------------------------------------------------

    def test_more_connections_than_may_be(self):
        server = self.server("--max-connections=20").start()
        held = [self.http2(server) for _ in range(20)]
        harness.wait_until(lambda: server.metrics()['pando_connections{port="client"}'] == 20, 10,
                           "20 connections")
        late = self.connect(server)
        late.settimeout(10)
        with contextlib.suppress(ConnectionError):
            self.assertEqual(late.recv(1), b"")
        self.assert_refused(server, "CROWDED")
        held.pop().close()
        harness.wait_until(lambda: server.pando("ls", "/", "--timeout", "1s", check=False)
                           .returncode == 0, 10, "room for one")

    def test_who_says_nothing_gives_way_and_is_sent_away(self):
        server = self.server("--max-connections=20").start()
        silent = [self.connect(server) for _ in range(60)]
        self.assert_serves(server)
        self.assert_refused(server, "CROWDED")
        for connection in silent:
            connection.settimeout(20)
            with contextlib.suppress(ConnectionError):
                self.assertEqual(connection.recv(1), b"")
        self.assert_refused(server, "SILENT")

    def test_no_descriptor_is_left(self):
        """CVE-2023-4785: gRPC's own listener never accepts again after that."""
        server = self.server()
        server.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
        connections = [self.http2(server) for _ in range(400)]
        self.assert_refused(server, "CROWDED")
        self.assertLess(descriptors(server), 256)
        for connection in connections:
            connection.close()
        harness.wait_until(lambda: server.pando("ls", "/", "--timeout", "1s", check=False)
                           .returncode == 0, 10, "it serves again")

    # --- HTTP/2 -------------------------------------------------------------------------------

    def await_growth_below(self, server, before, most):
        """The stranger is gone: what it cost comes back, once the allocator gives it back.

        Meanwhile nothing bounds it: gRPC 1.51 reads on, and counts neither in its quota
        (SECURITY.md)."""
        harness.wait_until(lambda: server.resident_bytes() - before < most, 90,
                           f"growth below {most >> 20} MiB")

    def test_streams_that_are_reset_at_once(self):
        """CVE-2023-44487, and its cost for others: they are served meanwhile."""
        server = self.server().start()
        before = server.resident_bytes()
        connection = self.http2(server)
        headers = http2.headers(GET)
        stream, slowest, until = 1, 0, time.monotonic() + 6
        asked = 0
        while time.monotonic() < until:
            burst = b""
            for _ in range(500):
                burst += http2.frame(http2.HEADERS, http2.END_HEADERS, stream, headers)
                burst += http2.frame(http2.RST_STREAM, 0, stream, struct.pack(">I", 8))
                stream += 2
            try:
                connection.sendall(burst)
            except (ConnectionError, TimeoutError):
                connection, stream = self.http2(server), 1
                continue
            if not self.drain(connection):
                connection, stream = self.http2(server), 1
            if time.monotonic() > until - 6 + asked:
                slowest, asked = max(slowest, self.assert_serves(server)), asked + 1
        self.assertGreater(asked, 2)
        self.assertLess(slowest, 4)
        connection.close()
        self.await_growth_below(server, before, GROWTH_BYTES_MAX)

    def test_more_streams_than_one_connection_may_have(self):
        server = self.server().start()
        connection = self.http2(server)
        announced = {}
        connection.settimeout(10)
        data = b""
        while len(data) < 9 or len(data) < 9 + int.from_bytes(data[:3], "big"):
            data += connection.recv(1 << 12)
        payload = data[9:9 + int.from_bytes(data[:3], "big")]
        for start in range(0, len(payload) - 5, 6):
            setting, value = struct.unpack(">HI", payload[start:start + 6])
            announced[setting] = value
        self.assertEqual(announced[3], 1000, "MAX_CONCURRENT_STREAMS")
        self.assertLessEqual(announced[6], 16 << 10, "MAX_HEADER_LIST_SIZE")

    def test_headers_that_are_too_large(self):
        """CVE-2023-33953: headers without end must not be kept."""
        server = self.server().start()
        before = server.resident_bytes()
        for name in (b"x-large", b"x-large-bin"):
            connection = self.http2(server)
            connection.sendall(http2.frame(http2.HEADERS, 0, 1, http2.headers(GET)))
            sent = 0
            with contextlib.suppress(ConnectionError, TimeoutError):
                while sent < 64 << 20 and self.drain(connection):
                    payload = literal(name, b"A" * 16_000)
                    connection.sendall(http2.frame(CONTINUATION, 0, 1, payload))
                    sent += len(payload)
            connection.close()
            self.await_growth_below(server, before, HEADERS_GROWTH_BYTES_MAX)
        # One string that says it is enormous.
        connection = self.http2(server)
        endless = b"\0" + integer(7, 7) + b"x-large" + integer(1 << 30, 7)
        with contextlib.suppress(ConnectionError, TimeoutError):
            connection.sendall(http2.frame(http2.HEADERS, 0, 1, http2.headers(GET) + endless))
            for _ in range(4096):
                if not self.drain(connection):
                    break
                connection.sendall(http2.frame(CONTINUATION, 0, 1, b"A" * 16_000))
        connection.close()
        self.await_growth_below(server, before, HEADERS_GROWTH_BYTES_MAX)
        self.assert_serves(server)

    def test_malformed_headers_beside_too_many(self):
        """CVE-2023-1428. A port that demands certificates never gets to read them."""
        certs = Certs(self.folder / "certs")
        server = self.server(*certs.server_flags())
        server.https = certs.https()
        server.start()
        attack = self.malformed()
        for _ in range(20):
            connection = self.connect(server)
            context = ssl._create_unverified_context()
            context.set_alpn_protocols(["h2"])
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                with context.wrap_socket(connection) as shaken:
                    shaken.sendall(attack)
                    while shaken.recv(1 << 16):
                        pass
        self.assert_serves(server, *certs.client_flags())

    def malformed(self):
        fields = {b":method": b"POST", b":scheme": b"gopher", b":path": GET.encode(),
                  b":authority": b"x", b"te": b"nonsense", b"content-type": b"application/grpc"}
        block = b"".join(literal(name, value) for name, value in fields.items())
        large = literal(b"x-large", b"A" * 12_000)
        return (http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0) +
                http2.frame(http2.HEADERS, 0, 1, block) +
                http2.frame(CONTINUATION, 0, 1, large) +
                http2.frame(CONTINUATION, http2.END_HEADERS, 1, large))

    def test_pings_without_end(self):
        server = self.server().start()
        connection = self.http2(server)
        with contextlib.suppress(ConnectionError):
            for _ in range(2000):
                connection.sendall(http2.frame(http2.PING, 0, 0, bytes(8)))
                if not self.drain(connection):
                    break
        harness.wait_until(lambda: not self.drain(connection), 10, "the server ends it")
        self.assert_serves(server)


if __name__ == "__main__":
    unittest.main()
