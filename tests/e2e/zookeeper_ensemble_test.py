"""What a ZooKeeper client sees of the ensemble: its members, its limits, and too little of it."""

import base64
import hashlib
import json
import struct
import unittest

import harness
import zookeeper_client as zk

DATA_CHANGED = 3
SUPER = "super:secret"
SUPER_DIGEST = "super:" + base64.b64encode(hashlib.sha1(SUPER.encode()).digest()).decode()
CONFIG = "/zookeeper/config"


class ZooKeeperEnsemble(harness.TestCase):
    def ensemble(self, *flags):
        ensemble = harness.Ensemble(self.folder, f"--super-digest={SUPER_DIGEST}",
                                     "--admin-identity=ip:127.0.0.1", *flags)
        self.addCleanup(ensemble.close)
        return ensemble.start()

    def stranger(self, server):
        client = zk.Client(server)
        self.addCleanup(client.close)
        return client

    def client(self, server, auth=None, **more):
        client = self.stranger(server)
        client.opened = client.connect(**more)
        if auth:
            client.add_auth("digest", auth)
        return client

    def assert_fails(self, code, call, *words, **more):
        with self.assertRaises(zk.Failed) as failed:
            call(*words, **more)
        self.assertEqual(failed.exception.code, code)

    def joiner(self, ensemble, server_id):
        peers = ",".join(f"127.0.0.1:{server.ports[1]}" for server in ensemble.running())
        server = ensemble.make(server_id, f"--join={peers}")
        self.addCleanup(server.close)
        server.start()
        ensemble.servers[server_id] = server
        return server

    @staticmethod
    def line(server, role):
        peer, zookeeper = server.ports[1], server.ports[3]
        return (f"server.{server.id}=127.0.0.1:{peer}:{peer}:{role};127.0.0.1:{zookeeper}")

    def config(self, client):
        client.call(zk.SYNC, zk.text("/"))
        text = client.get(CONFIG)[0].decode()
        *lines, version = text.split("\n")
        self.assertTrue(version.startswith("version="), text)
        return lines, int(version[len("version="):], 16)

    def command(self, server, name):
        return json.loads(server.http(f"/commands/{name}")[1])

    def test_the_configuration_tells_who_the_members_are(self):
        ensemble = self.ensemble("--zookeeper-words=conf,srvr,mntr")
        clients = [self.client(server) for server in ensemble.servers.values()]
        first = [self.line(server, "participant") for server in ensemble.servers.values()]
        shown = [self.config(client) for client in clients]
        self.assertEqual(shown, [(first, shown[0][1])] * 3)
        watcher = clients[1]
        _, version, _ = watcher.get(CONFIG, watch=True)
        joiner = self.joiner(ensemble, 4)

        def told():
            watcher.call(zk.PING, xid=-2)
            return watcher.events

        self.assertEqual(harness.wait_until(told, 20, "an event")[0][:2], (DATA_CHANGED, CONFIG))
        leader = ensemble.leader()
        observers = harness.wait_until(lambda: self.command(leader, "observers")["observers"], 20,
                                       "an observer")
        self.assertEqual([(one["sid"], one["remote_socket_address"]) for one in observers],
                         [(4, f"127.0.0.1:{joiner.ports[1]}")])
        harness.wait_until(lambda: self.command(leader, "monitor")["synced_observers"] == 1, 20,
                           "an observer")
        self.assertEqual(self.command(leader, "monitor")["quorum_size"], 3)
        # The joiner may not serve yet.
        voters = harness.wait_until(
            lambda: self.command(joiner, "voting_view").get("current_config"), 20, "the members")
        self.assertEqual(list(voters), ["1", "2", "3"])
        ensemble.pando("member", "promote", "4")
        last = [*first, self.line(joiner, "participant")]
        for client in [*clients, self.client(joiner)]:
            lines, number = self.config(client)
            self.assertEqual(lines, last)
            self.assertGreater(number, shown[0][1])
        for server in ensemble.servers.values():
            self.assertEqual(
                self.command(server, "voting_view")["current_config"],
                {str(one.id): {"server_addresses": [f"127.0.0.1:{one.ports[1]}"],
                               "election_addresses": [f"127.0.0.1:{one.ports[1]}"],
                               "client_address": f"127.0.0.1:{one.ports[3]}",
                               "learner_type": "participant"}
                 for one in ensemble.servers.values()})
            self.assertEqual(self.command(server, "leader"),
                             {"is_leader": server is leader, "leader_id": leader.id,
                              "leader_ip": "127.0.0.1", "command": "leader", "error": None})
            conf = self.say(server, b"conf").decode().splitlines()
            self.assertEqual(conf[conf.index("membership: ") + 1:-1], last)
        self.assertGreater(watcher.get(CONFIG)[1], version)
        self.assert_fails(zk.NO_AUTH, watcher.set, CONFIG, "server.1=evil:1:1;1")

    def test_reconfig_changes_the_members(self):
        ensemble = self.ensemble("--zookeeper-enable=reconfig")
        follower = ensemble.followers()[0]
        leaving = ensemble.followers()[1]
        client = self.client(follower)
        _, version = self.config(client)
        self.assert_fails(zk.BAD_ARGUMENTS, client.reconfig, "some thing")
        self.assert_fails(zk.BAD_VERSION, client.reconfig, leaving="9", config=version + 1)
        self.assert_fails(zk.NO_AUTH, client.reconfig, leaving=str(leaving.id))
        client.add_auth("digest", SUPER)
        joiner = self.joiner(ensemble, 4)
        wanted = self.line(joiner, "participant")
        self.assert_fails(zk.BAD_VERSION, client.reconfig, wanted, config=version)
        absent = "server.5=127.0.0.1:1:1:participant;127.0.0.1:2"
        self.assert_fails(zk.NO_QUORUM, client.reconfig, absent)
        self.assert_fails(zk.UNIMPLEMENTED, client.reconfig, self.line(follower, "observer"))

        def changed():
            try:
                return client.reconfig(wanted, str(leaving.id))
            except zk.Failed as failed:  # the joiner may have to catch up
                self.assertEqual(failed.code, zk.NO_QUORUM)
                return None

        text = harness.wait_until(changed, 20, "the members changed")
        self.assertIn(wanted, text.split("\n"))
        self.assertNotIn(f"server.{leaving.id}=", text)
        members = json.loads(ensemble.pando("member", "ls", "-o", "json", first=follower).stdout)
        self.assertEqual({member["id"]: member["role"] for member in members},
                         {member: "VOTER" for member in {1, 2, 3, 4} - {leaving.id}})
        self.assertEqual(client.reconfig(wanted), text, "it is so already")
        # The leader goes, too, and another one answers for it.
        leader = ensemble.leader()
        if leader is not follower:
            self.assertNotIn(f"server.{leader.id}=", client.reconfig(leaving=str(leader.id)))
        client.create("/goes-on")

    def test_reconfig_is_off_unless_it_is_on(self):
        client = self.client(self.server(f"--super-digest={SUPER_DIGEST}").start(), auth=SUPER)
        self.assert_fails(zk.RECONFIG_DISABLED, client.reconfig, leaving="1")

    def test_a_quota_holds_on_both_ports_and_after_a_restart(self):
        server = self.server().start()
        client = self.client(server)
        client.create("/app", b"12345")
        client.create("/zookeeper/quota/app")
        client.create("/zookeeper/quota/app/zookeeper_limits",
                      "count=-1,bytes=-1=;countHardLimit=3;byteHardLimit=20")
        stats = "/zookeeper/quota/app/zookeeper_stats"
        client.create(stats, "count=0,bytes=0")
        self.assertEqual(client.get(stats)[0], b"count=1,bytes=5")
        server.pando("create", "/app/native", "1234567890")
        self.assertEqual(client.get(stats)[0], b"count=2,bytes=15")
        self.assert_fails(zk.QUOTA_EXCEEDED, client.set, "/app", "12345678901")
        server.kill()
        server.start()
        client = self.client(server)
        client.set("/app", "1234567890")
        client.create("/app/last")
        self.assert_fails(zk.QUOTA_EXCEEDED, client.create, "/app/beyond")
        refused = server.pando("create", "/app/beyond", "", check=False)
        self.assertIn("(QUOTA_EXCEEDED)", refused.stderr)
        self.assertEqual(client.get(stats)[0], b"count=3,bytes=20")
        client.delete("/app/last")
        client.create("/app/beyond")

    def test_who_only_reads_is_served_without_a_majority(self):
        ensemble = self.ensemble("--watch-no-leader=1s", "--zookeeper-words=isro")
        one, *others = ensemble.servers.values()
        writer = self.client(one, timeout_ms=60_000)
        _, session, password = writer.opened
        writer.create("/n", b"x")
        for server in others:
            server.kill()

        def attach(**more):
            client = self.stranger(one)
            client.opened = client.connect(**more)
            return client if client.opened else None

        reader = harness.wait_until(lambda: attach(read_only=True), 20, "read-only mode")
        self.assertTrue(reader.read_only)
        self.assertEqual(reader.get("/n")[0], b"x")
        self.assert_fails(zk.NOT_READ_ONLY, reader.set, "/n", b"y")
        self.assert_fails(zk.NOT_READ_ONLY, reader.call, zk.SYNC, zk.text("/n"))
        self.assertEqual(self.say(one, b"isro"), b"ro")
        self.assertIsNone(attach(), "who wants to write is sent away")
        again = attach(session=session, password=password, read_only=True)
        self.assertEqual(again.opened[1:], (session, password))
        wrong = attach(session=session, password=b"x" * 16, read_only=True)
        self.assertEqual(wrong.opened, (0, 0, bytes(16)))
        for server in others:
            server.start()
        self.assertIsNone(reader.read(), "there is a majority again")
        back = harness.wait_until(
            lambda: attach(session=session, password=password, read_only=True), 20, "back")
        self.assertFalse(back.read_only)
        back.set("/n", b"y")
        self.assertEqual(self.say(one, b"isro"), b"rw")

    def say(self, server, word):
        stranger = self.stranger(server)
        stranger.socket.sendall(word)
        return b"".join(iter(lambda: stranger.socket.recv(4096), b""))

    def test_what_keeper_has_besides(self):
        server = self.server("--zookeeper-enable=keeper").start()
        client = self.client(server)
        self.assertEqual(client.get("/keeper/feature_flags")[0][0], 0b10111000)
        client.create("/a")
        client.create("/a/kept")
        client.create("/a/brief", flags=zk.EPHEMERAL)
        for kind, names in enumerate((["brief", "kept"], ["kept"], ["brief"])):
            answer = client.call(zk.FILTERED_LIST, zk.text("/a") + bytes([0, kind]))
            self.assertEqual(client.take_names(answer), names)
        acl = struct.pack(">ii", 1, 31) + zk.text("world") + zk.text("anyone")
        again = client.call(zk.CREATE_IF_NOT_EXISTS,
                            zk.text("/a") + zk.text("new") + acl + struct.pack(">i", 0))
        self.assertEqual(zk.take_text(again)[0], b"/a")
        self.assertEqual(client.get("/a")[0], b"")
        self.assert_fails(zk.NOT_EMPTY, client.call, zk.REMOVE_RECURSIVE,
                          zk.text("/a") + struct.pack(">i", 2))
        client.call(zk.REMOVE_RECURSIVE, zk.text("/a") + struct.pack(">i", 3))
        self.assert_fails(zk.NO_NODE, client.get, "/a")


if __name__ == "__main__":
    unittest.main()
