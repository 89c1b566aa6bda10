"""What whoever operates ZooKeeper asks: four-letter words, and the AdminServer's commands."""

import json
import re
import unittest

import harness
import zookeeper_client as zk

EPHEMERALS = 150  # of one session each: more than one step of a dump


class Operators(harness.TestCase):
    def client(self, server):
        client = zk.Client(server)
        self.addCleanup(client.close)
        client.opened = client.connect(timeout_ms=60_000)
        return client

    def say(self, server, word):
        stranger = zk.Client(server)
        self.addCleanup(stranger.close)
        stranger.socket.sendall(word.encode())
        return b"".join(iter(lambda: stranger.socket.recv(65536), b"")).decode()

    def command(self, server, name, status=200):
        got, body = server.http(f"/commands/{name}")
        self.assertEqual(got, status, body)
        return json.loads(body)

    def test_what_a_connection_has_done(self):
        server = self.server("--zookeeper-words=*").start()
        client = self.client(server)
        client.create("/n", b"x")
        client.get("/n", watch=True)
        session = client.opened[1]

        line = self.say(server, "cons").splitlines()[0]
        shown = dict(pair.split("=") for pair in re.search(r"\((.*)\)", line)[1].split(","))
        self.assertEqual(list(shown), ["queued", "recved", "sent", "sid", "lop", "est", "to",
                                       "lcxid", "lzxid", "lresp", "llat", "minlat", "avglat",
                                       "maxlat"])
        self.assertEqual((shown["sid"], shown["lop"], shown["lcxid"], shown["recved"]),
                         (hex(session), "GETD", hex(client.xid), "3"))
        self.assertEqual(int(shown["lzxid"], 16), client.zxid)
        row = self.command(server, "connections")["connections"][0]
        self.assertEqual(row["session_id"], session)
        self.assertEqual(row["last_cxid"], client.xid)
        self.assertEqual(self.command(server, "watches"),
                         {"session_id_to_watched_paths": {str(session): ["/n"]},
                          "command": "watches", "error": None})

        self.assertEqual(self.say(server, "crst"), "Connection stats reset.\n")
        line = self.say(server, "cons").splitlines()[0]
        self.assertIn("recved=0,sent=0,", line)
        self.assertIn(",lop=NA,", line)

    def test_numbers_of_a_server(self):
        server = self.server("--zookeeper-words=mntr,srst,conf").start()
        client = self.client(server)
        client.create("/n", b"x")

        def tell():
            return dict(line.split("\t") for line in self.say(server, "mntr").splitlines())

        # The core's numbers come after its answers.
        harness.wait_until(lambda: tell()["zk_znode_count"] == "5", 5, "counted")
        told = tell()
        numbers = self.command(server, "monitor")
        for name in ("znode_count", "watch_count", "ephemerals_count", "global_sessions",
                     "max_file_descriptor_count", "server_state"):
            self.assertEqual(str(numbers[name]), told[f"zk_{name}"])
        self.assertGreater(int(told["zk_uptime"]), 0)
        self.assertGreater(int(told["zk_open_file_descriptor_count"]), 10)
        self.assertGreater(numbers["packets_received"], 1)
        self.command(server, "stat_reset")
        self.assertLess(self.command(server, "monitor")["packets_received"], 2)
        self.assertEqual(self.command(server, "configuration")["client_port"], server.ports[3])

    def test_a_dump_shows_the_whole_ensemble(self):
        ensemble = harness.Ensemble(self.folder, "--zookeeper-words=dump", count=3)
        self.addCleanup(ensemble.close)
        ensemble.start()
        servers = list(ensemble.servers.values())
        owners = {}
        for number in range(EPHEMERALS):
            client = self.client(servers[number % 3])
            owners[str(client.opened[1])] = [client.create(f"/e{number}", flags=zk.EPHEMERAL)]
        idle = self.client(servers[0])
        idle.call(zk.SYNC, zk.text("/"))
        dump = self.command(servers[0], "dump")
        self.assertEqual(dump["session_id_to_ephemeral_paths"], owners)
        sessions = [one for all in dump["expiry_time_to_session_ids"].values() for one in all]
        self.assertEqual(sorted(sessions), sorted([*map(int, owners), idle.opened[1]]))
        text = self.say(servers[0], "dump")
        self.assertIn(f"Sessions with Ephemerals ({EPHEMERALS}):\n", text)
        self.assertIn(f"sessionId: {hex(idle.opened[1])}\n", text)

    def test_who_is_turned_away_is_counted(self):
        server = self.server("--zookeeper-words=mntr").start()
        client = self.client(server)
        with self.assertRaises(zk.Failed):
            client.add_auth("kerberos", "ada")
        stranger = zk.Client(server)
        self.addCleanup(stranger.close)
        stranger.socket.sendall(b"\x16\x03\x01")  # as TLS begins
        self.assertIsNone(stranger.read())
        numbers = self.command(server, "monitor")
        self.assertEqual(numbers["auth_failed_count"], 1)
        self.assertEqual(numbers["unsuccessful_handshake"], 1)
        self.assertEqual(numbers["connection_request_count"], 2)
        refused = 'pando_connections_refused_total{port="zookeeper",reason="TLS"}'
        self.assertEqual(server.metrics()[refused], 1)

    def test_without_a_majority(self):
        ensemble = harness.Ensemble(self.folder, "--watch-no-leader=1s", "--zookeeper-words=*",
                                    count=3)
        self.addCleanup(ensemble.close)
        ensemble.start()
        one, *others = ensemble.servers.values()
        owner = self.client(one)
        owner.create("/e", flags=zk.EPHEMERAL)
        self.assertFalse(self.command(one, "is_read_only")["read_only"])
        for other in others:
            other.kill()
        harness.wait_until(lambda: self.say(one, "isro") == "ro", 20, "read-only mode")
        self.assertTrue(self.command(one, "is_read_only")["read_only"])
        self.assertEqual(self.command(one, "monitor")["server_state"], "read-only")
        self.assertEqual(self.command(one, "zabstate")["zabstate"], "election")
        self.assertIn("Mode: read-only\n", self.say(one, "stat"))
        self.assertEqual(self.command(one, "dump")["session_id_to_ephemeral_paths"],
                         {str(owner.opened[1]): ["/e"]})

    def test_what_is_not_enabled_is_not_told(self):
        server = self.server("--zookeeper-words=ruok").start()
        self.client(server)
        self.assertEqual(self.say(server, "ruok"), "imok")
        self.assertEqual(self.command(server, "ruok"), {"command": "ruok", "error": None})
        refused = self.command(server, "connections", status=403)
        self.assertIn("cons is not executed because it is not in the whitelist", refused["error"])
        self.assertEqual(server.http("/commands")[1],
                         '<a href="/commands/ruok">ruok</a>\n<br/>\n')
        self.assertEqual(self.command(server, "nothing")["error"], "Unknown command: nothing")


if __name__ == "__main__":
    unittest.main()
