"""The ZooKeeper port: the same tree, over three servers, with a server lost, and with strangers."""

import socket
import struct
import time
import unittest

import harness
import zookeeper_client as zk

DATA_CHANGED = 3
GROWTH_BYTES_MAX = 128 << 20
IDLE_BYTES_MAX = 20 << 10  # of a connection that says nothing, with its session
IDLE_CONNECTIONS = 500


class ZooKeeper(harness.TestCase):
    def ensemble(self):
        ensemble = harness.Ensemble(self.folder, count=3)
        self.addCleanup(ensemble.close)
        return ensemble.start()

    def stranger(self, server, timeout_s=20):
        client = zk.Client(server, timeout_s)
        self.addCleanup(client.close)
        return client

    def client(self, server, **more):
        client = self.stranger(server)
        client.opened = client.connect(**more)
        return client

    def assert_fails(self, code, call, *words, **more):
        with self.assertRaises(zk.Failed) as failed:
            call(*words, **more)
        self.assertEqual(failed.exception.code, code)

    def test_both_ports_show_one_tree(self):
        server = self.server().start()
        client = self.client(server)
        client.create("/app", b"by zookeeper")
        self.assertIn("by zookeeper", server.pando("get", "/app").stdout)
        server.pando("set", "/app", "by pando")
        self.assertEqual(client.get("/app"), (b"by pando", 1, 0))
        self.assertEqual(client.children("/"), ["app", "zookeeper"])
        self.assertEqual(client.children("/zookeeper"), ["config", "quota"])
        self.assert_fails(zk.BAD_ARGUMENTS, client.delete, "/zookeeper/quota")

    def test_what_is_more_than_a_client_takes_is_an_error(self):
        server = self.server().start()
        server.pando("create", "/large", "-", input="x" * (1 << 20))  # and its Stat
        client = self.client(server)
        reads = [client.ask(zk.GET_DATA, zk.text(path) + b"\1") for path in ("/large", "/")]
        self.assert_fails(zk.MARSHALLING_ERROR, client.answer, reads[0])
        client.answer(reads[1])
        client.set("/large", b"less")  # the refused read has left no watch
        self.assertEqual(client.get("/large")[0], b"less")
        self.assertEqual(client.events, [])
        server.stop()
        server.start("--zookeeper-reply-bytes=2MiB")
        client = self.client(server)
        server.pando("set", "/large", "-", input="x" * (1 << 20))
        self.assertEqual(len(client.get("/large")[0]), 1 << 20)

    def test_an_event_comes_before_the_new_data(self):
        """From another server than the one that writes, with reads on their way all the time."""
        ensemble = self.ensemble()
        writer = self.client(ensemble.servers[1])
        reader = self.client(ensemble.servers[2])
        writer.create("/n", b"0")
        reader.call(zk.SYNC, zk.text("/n"))
        for number in range(1, 100):
            shown, version, _ = reader.get("/n", watch=True)
            reads = [reader.ask(zk.GET_DATA, zk.text("/n") + b"\0") for _ in range(20)]
            writer.set("/n", str(number))
            deadline = time.monotonic() + 20
            while shown != str(number).encode():
                self.assertLess(time.monotonic(), deadline)
                if not reads:
                    reads = [reader.ask(zk.GET_DATA, zk.text("/n") + b"\0")]
                shown, _ = zk.take_text(reader.answer(reads.pop(0)))
                told = [event for event in reader.events if event[:2] == (DATA_CHANGED, "/n")]
                new = shown == str(number).encode()
                self.assertEqual(len(told), number if new else len(told), "data before its event")
                self.assertIn(len(told), (number - 1, number), f"version {version}")
            for xid in reads:
                reader.answer(xid)

    def test_a_session_and_its_ephemerals_outlive_their_server(self):
        ensemble = self.ensemble()
        leader = ensemble.leader()
        follower = ensemble.followers()[0]
        client = self.client(leader)
        _, session, password = client.opened
        client.create("/e", flags=zk.EPHEMERAL)
        leader.kill()

        def attach():
            again = self.stranger(follower)
            answer = again.connect(session, password, client.zxid)
            return answer and (again, answer)

        again, answer = harness.wait_until(attach, 20, "attached elsewhere")
        self.assertEqual(answer, (10_000, session, password))
        self.assertEqual(again.get("/e")[2], session)
        again.call(zk.CLOSE)
        self.assert_fails(zk.NO_NODE, self.client(follower).get, "/e")

    def test_pipelined_writes_are_done_once_and_in_order_over_a_change_of_leader(self):
        """Through a follower: its connections live on, and so do their writes."""
        ensemble = self.ensemble()
        leader = ensemble.leader()
        client = self.client(ensemble.followers()[0], timeout_ms=30_000)
        client.create("/log")
        sent = []
        for number in range(500):
            sent.append(client.ask_create("/log/n-", str(number), flags=zk.SEQUENTIAL))
            if number == 200:
                leader.kill()
        paths = [zk.take_text(client.answer(xid))[0].decode() for xid in sent]
        self.assertEqual(paths, [f"/log/n-{number:010}" for number in range(500)])
        self.assertEqual([int(client.get(path)[0]) for path in paths], list(range(500)))

    def test_a_session_is_taken_over_only_by_who_knows_it(self):
        server = self.server().start()
        first = self.client(server)
        _, session, password = first.opened
        self.assertNotEqual(password, bytes(16))
        wrong = self.stranger(server)
        self.assertEqual(wrong.connect(session, b"x" * 16), (0, 0, bytes(16)))
        self.assertIsNone(wrong.read())
        again = self.stranger(server)
        self.assertEqual(again.connect(session, password), (10_000, session, password))
        self.assertIsNone(first.read())  # it has moved
        again.call(zk.CLOSE)
        self.assertIsNone(again.read())
        self.assertEqual(self.stranger(server).connect(session, password), (0, 0, bytes(16)))
        self.assertIsNone(self.stranger(server).connect(last_zxid=1 << 40))

    def test_a_session_that_says_nothing_expires(self):
        server = self.server().start()
        silent = self.client(server, timeout_ms=1_000)
        silent.create("/silent", flags=zk.EPHEMERAL)
        lively = self.client(server, timeout_ms=4_000)
        lively.create("/lively", flags=zk.EPHEMERAL)
        outlived = time.monotonic() + 5

        def gone():
            lively.call(zk.PING, xid=-2)
            alone = lively.children("/") == ["lively", "zookeeper"]
            return alone and time.monotonic() > outlived

        harness.wait_until(gone, 10, "expired")
        silent.ask(zk.PING, xid=-2)
        self.assertIsNone(silent.read())

    def test_four_letter_words(self):
        server = self.server("--zookeeper-words=ruok,mntr,srvr").start()
        client = self.client(server)
        client.create("/n")

        def say(word):
            stranger = self.stranger(server)
            stranger.socket.sendall(word)
            return b"".join(iter(lambda: stranger.socket.recv(4096), b"")).decode()

        self.assertEqual(say(b"ruok"), "imok")
        self.assertEqual(say(b"wchc\n"),
                         "wchc is not executed because it is not in the whitelist.\n")

        def tell():
            return dict(line.split("\t") for line in say(b"mntr").splitlines())

        # With the root, and ZooKeeper's three; the core's numbers come after its answers.
        harness.wait_until(lambda: tell()["zk_znode_count"] == "5", 5, "counted")
        numbers = tell()
        self.assertEqual(numbers["zk_server_state"], "standalone")
        self.assertGreater(int(numbers["zk_packets_received"]), 0)
        self.assertIn("Mode: standalone\n", say(b"srvr"))
        self.assertIn("Connections: 2\n", say(b"srvr"))
        before = int(say(b"srvr").split("Received: ")[1].split()[0])
        self.assertIn("whitelist", say(b"srst"))
        after = int(say(b"srvr").split("Received: ")[1].split()[0])
        self.assertEqual(after, before + 2)  # these two words

    def test_requests_that_wait_for_room_are_answered(self):
        """All are there before the first answer is written; nothing comes after them."""
        client = self.client(self.server().start())
        client.create("/big", b"x" * 1_000_000)
        client.get("/big")  # so that the server knows how large answers are
        count = 40
        head = struct.Struct(">iii")
        record = zk.text("/big") + b"\0"
        client.socket.sendall(b"".join(head.pack(8 + len(record), 100 + i, zk.GET_DATA) + record
                                       for i in range(count)))
        for i in range(count):
            self.assertEqual(len(zk.take_text(client.answer(100 + i))[0]), 1_000_000)

    def test_acls_are_those_of_the_native_port(self):
        server = self.server().start()
        ada = self.client(server)
        self.assert_fails(zk.INVALID_ACL, ada.create, "/hers", acl=[(31, "auth", "")])
        ada.add_auth("digest", "ada:secret")
        ada.create("/hers", b"x", acl=[(31, "auth", "")])
        self.assertEqual(ada.get("/hers")[0], b"x")
        self.assert_fails(zk.NO_AUTH, self.client(server).get, "/hers")
        shown = server.pando("get", "/hers", "--auth", "digest:ada:secret")
        self.assertIn("x", shown.stdout)
        self.assertNotEqual(server.pando("get", "/hers", check=False).returncode, 0)

    def test_strangers_are_closed_and_harm_nobody(self):
        server = self.server().start()
        client = self.client(server, timeout_ms=60_000)
        client.create("/n")
        before = server.resident_bytes()
        for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, b"\0\0\0\x04" + bytes(4),
                         struct.pack(">i", 2 << 20), b"\x16\x03\x01\x02\0\x01\0"):
            stranger = self.stranger(server)
            stranger.socket.sendall(nonsense)
            self.assertIsNone(stranger.read(), nonsense)
            client.set("/n", nonsense)
        half = self.stranger(server)
        half.socket.sendall(b"\0\0\0\x2d\0\0")
        silent = [self.stranger(server) for _ in range(200)]
        client.set("/n", b"still here")
        self.assertIsNone(half.read())
        self.assertIsNone(silent[0].read())
        self.assertIn("did not ask for a session in time", server.log())
        client.call(zk.PING, xid=-2)
        self.assertEqual(client.get("/n")[0], b"still here")
        self.assertLess(server.resident_bytes() - before, GROWTH_BYTES_MAX)

    def test_idle_connections_are_cheap(self):
        server = self.server().start()
        before = server.resident_bytes()
        for _ in range(IDLE_CONNECTIONS):
            self.client(server)
        taken = server.resident_bytes() - before
        self.assertLess(taken / IDLE_CONNECTIONS, IDLE_BYTES_MAX)

    def test_frames_may_come_in_any_parts(self):
        """Each byte of a conversation in a packet of its own, and all of it in one."""
        server = self.server().start()
        for number, at_once in enumerate((1, 1 << 20)):
            client = self.stranger(server)
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.send_at_once = at_once
            self.assertEqual(client.connect()[0], 10_000)
            asked = [client.ask_create(f"/n{number}", b"data"),
                     client.ask(zk.GET_DATA, zk.text(f"/n{number}") + b"\0"),
                     client.ask(zk.PING, xid=-2)]
            path, read, _ = [client.answer(xid) for xid in asked]
            self.assertEqual(zk.take_text(path)[0].decode(), f"/n{number}")
            self.assertEqual(zk.take_text(read)[0], b"data")

    def test_who_does_not_read_is_not_read(self):
        server = self.server().start()
        client = self.client(server, timeout_ms=60_000)  # it says nothing for a while
        client.create("/big", b"x" * 500_000)
        greedy = self.client(server)
        before = server.resident_bytes()
        greedy.socket.settimeout(2)
        read = struct.pack(">ii", 1, zk.GET_DATA) + zk.text("/big") + b"\0"
        many = (struct.pack(">i", len(read)) + read) * 1_000
        with self.assertRaises(TimeoutError):
            for _ in range(1_000):
                greedy.socket.sendall(many)
        self.assertLess(server.resident_bytes() - before, GROWTH_BYTES_MAX)
        client.set("/big", b"small")

    def test_a_watcher_that_does_not_read_its_events_is_closed(self):
        server = self.server().start()
        client = self.client(server)
        path = "/" + "n" * 3_000
        client.create(path)
        deaf = self.client(server)
        deaf.call(106, zk.text(path) + struct.pack(">i", 0))  # a persistent watch
        for _ in range(40):
            sent = [client.ask(zk.SET_DATA, zk.text(path) + zk.text("x") + struct.pack(">i", -1))
                    for _ in range(500)]
            for xid in sent:
                client.answer(xid)
            if "does not read its events" in server.log():
                return
        self.fail("20,000 events of 3,000 bytes wait for a client that does not read")


if __name__ == "__main__":
    unittest.main()
