"""ACLs and identities: two applications on one server, its superuser, its audit log."""

import json
import subprocess
import unittest

import harness

REFUSED = 1
USAGE = 2


def digest(user, password):
    done = subprocess.run([harness.PANDO, "acl", "digest", user], input=password, text=True,
                          capture_output=True, env=harness.clean_environment(), timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class AclTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.audit = self.folder / "audit.log"
        self.one = self.server("--super-digest", digest("root", "top"),
                               "--admin-identity", f"digest:{digest('oper', 'ator')}",
                               "--audit-log", str(self.audit)).start()

    def run_as(self, who, *words, **run):
        credential = [f"--auth=digest:{who}"] if who else []
        return self.one.pando(*credential, *words, check=False, **run)

    def expect(self, who, *words):
        done = self.run_as(who, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def denied(self, who, *words):
        done = self.run_as(who, *words)
        self.assertEqual(done.returncode, REFUSED, done.stdout + done.stderr)
        self.assertIn("PERMISSION_DENIED", done.stderr)

    def test_two_applications_do_not_see_each_other(self):
        self.expect("ann:a", "create", "/ann", "of ann")
        self.expect("ann:a", "create", "/ann/secret", "deep")
        self.expect("ann:a", "acl", "set", "-R", "/ann", "auth::cdrwa", "world:anyone:r")
        self.expect("ann:a", "acl", "set", "/ann/secret", "auth::cdrwa")

        self.assertEqual(self.expect("bob:b", "get", "/ann"), "of ann")
        self.denied("bob:b", "get", "/ann/secret")
        self.denied("bob:b", "set", "/ann", "of bob")
        self.denied("bob:b", "create", "/ann/mine", "x")
        self.denied("bob:b", "rm", "-r", "/ann")
        self.denied("bob:b", "acl", "set", "/ann", "world:anyone:cdrwa")
        self.denied("ann:wrong", "set", "/ann", "x")
        self.denied(None, "get", "/ann/secret")
        # Names are the parent's; what a walk may not show, it leaves out.
        self.assertEqual(self.expect("bob:b", "ls", "-o", "raw", "/ann").split(), ["secret"])
        self.assertNotIn("secret", self.expect("bob:b", "tree", "/ann"))
        self.assertIn("secret", self.expect("ann:a", "tree", "/ann"))
        self.assertEqual(self.expect("ann:a", "get", "/ann/secret"), "deep")
        self.expect("root:top", "set", "/ann/secret", "by root")

    def test_a_walk_that_the_store_answers_leaves_out_the_same(self):
        """Beyond 1,000 nodes a walk is no longer answered from memory."""
        files = self.folder / "files"
        files.mkdir()
        for i in range(1500):
            (files / f"n{i:04}").write_text("x")
        self.expect("ann:a", "import", files, "/many")
        self.expect("ann:a", "acl", "set", "/many/n0700", "auth::cdrwa")
        shown = self.expect("bob:b", "acl", "get", "-R", "/many").splitlines()
        self.assertEqual(len(shown), 1500)  # with /many, without n0700
        self.assertNotIn("/many/n0700", "\n".join(shown))
        self.assertEqual(shown[1], "/many/n0000\tworld:anyone:cdrwa")
        all_of_it = self.expect("ann:a", "acl", "get", "-R", "/many").splitlines()
        self.assertEqual(len(all_of_it), 1501)
        self.assertEqual(all_of_it[701], f"/many/n0700\tdigest:{digest('ann', 'a')}:cdrwa")
        self.expect("ann:a", "acl", "set", "-R", "/many", "auth::cdrwa")
        self.denied("bob:b", "acl", "get", "-R", "/many")

    def test_acls_are_read_set_and_tried(self):
        self.expect(None, "create", "-p", "/a/b", "x")
        self.assertEqual(self.expect(None, "acl", "get", "/a"), "world:anyone:cdrwa\n")
        entry = f"digest:{digest('ann', 'a')}:rwa"
        self.expect(None, "acl", "set", "/a/b", entry)
        self.assertEqual(self.expect("ann:a", "acl", "get", "/a/b"), entry + "\n")
        # Of others' digests the hash is not shown to whoever may not administer.
        self.expect("ann:a", "acl", "set", "/a/b", entry, "world:anyone:r")
        self.assertEqual(self.expect(None, "acl", "get", "/a/b").split()[0], "digest:ann:x:rwa")

        dry = self.run_as(None, "acl", "set", "-R", "-n", "-o", "json", "/a", "world:anyone:r")
        rows = [json.loads(line) for line in dry.stdout.splitlines()]
        self.assertEqual([(row["path"], row["change"]) for row in rows],
                         [("/a", "changed"), ("/a/b", "denied")])
        self.denied(None, "acl", "set", "-R", "/a", "world:anyone:r")
        self.assertEqual(self.expect(None, "acl", "get", "/a"), "world:anyone:cdrwa\n")
        listed = self.expect("root:top", "acl", "get", "-R", "/a")
        self.assertEqual(listed.splitlines()[0], "/a\tworld:anyone:cdrwa")
        version = self.run_as(None, "acl", "set", "/a", "world:anyone:r", "--version", "7")
        self.assertIn("BAD_VERSION", version.stderr)

    def test_bad_acls_are_refused_with_a_reason(self):
        self.expect(None, "create", "/a", "x")
        for entry, reason in (("world:ann:r", "world:anyone"), ("ip:nowhere:r", "ADDRESS"),
                              ("digest:ann:r", "base64"), ("sasl:ann:r", "no scheme"),
                              ("auth::r", "authenticated as nobody")):
            done = self.run_as(None, "acl", "set", "/a", entry)
            self.assertEqual(done.returncode, REFUSED, entry)
            self.assertIn("INVALID_ACL", done.stderr)
            self.assertIn(reason, done.stderr)
        self.assertEqual(self.run_as(None, "acl", "set", "/a", "world:anyone:q").returncode, USAGE)

    def test_a_watch_shows_what_may_be_read_when_it_happens(self):
        self.expect("ann:a", "create", "/w", "x")
        watcher = harness.Watcher(self.one, "/w", out=self.folder / "events")
        self.addCleanup(watcher.stop)
        harness.wait_until(lambda: self.one.metrics().get("pando_watch_streams", 0) > 0, 10,
                           "the watch")
        self.expect("ann:a", "create", "/w/open", "seen")
        self.expect("ann:a", "create", "/w/closed", "seen while it is open")
        self.expect("ann:a", "acl", "set", "/w/closed", "auth::cdrwa")
        self.expect("ann:a", "set", "/w/closed", "unseen")
        self.expect("ann:a", "set", "/w/open", "last")
        harness.wait_until(lambda: any(event.get("data") == "last" for event in watcher.events()),
                           20, "the last event")
        seen = [(event["kind"], event["path"]) for event in watcher.events()]
        self.assertEqual(seen, [("CREATED", "/w/open"), ("CREATED", "/w/closed"),
                                ("DATA_CHANGED", "/w/open")])

    def test_administration_is_for_administrators(self):
        for words in (("status",), ("member", "ls"), ("leader", "transfer"), ("session", "ls"),
                      ("snapshot", "save", str(self.folder / "backup"))):
            self.denied("ann:a", *words)
        self.expect("oper:ator", "status")
        self.expect("root:top", "member", "ls")
        # To administer the ensemble is not to own its nodes.
        self.expect("root:top", "acl", "set", "/", "world:anyone:r")
        self.denied("oper:ator", "create", "/a", "x")
        self.expect("root:top", "snapshot", "save", str(self.folder / "backup"))

    def test_whoami(self):
        who = json.loads(self.expect("oper:ator", "whoami", "-o", "json"))
        self.assertEqual(who["identities"], ["world:anyone", "ip:127.0.0.1",
                                             f"digest:{digest('oper', 'ator')}"])
        self.assertTrue(who["administrator"])
        self.assertFalse(json.loads(self.expect(None, "whoami", "-o", "json"))["administrator"])

    def test_credentials_come_from_a_file_or_the_environment(self):
        file = self.folder / "credentials"
        file.write_text("digest:ann:a\n\ndigest:root:top\n")
        who = json.loads(self.expect(None, "--auth-file", file, "whoami", "-o", "json"))
        self.assertIn("super:", who["identities"])
        environment = {**self.one.environment(), "PANDO_AUTH_FILE": str(file)}
        self.assertIn("super:", self.run_as(None, "whoami", env=environment).stdout)
        gone = self.run_as(None, "--auth-file", self.folder / "gone", "whoami")
        self.assertEqual(gone.returncode, USAGE)
        self.assertIn("gone", gone.stderr)
        wrong = self.run_as(None, "--auth=basic:x", "whoami")
        self.assertIn("UNAUTHENTICATED", wrong.stderr)

    def test_the_audit_log_has_denials_and_administration_and_no_secret(self):
        self.expect("ann:a", "create", "/mine", "x")
        self.expect("ann:a", "acl", "set", "/mine", "auth::cdrwa")
        self.denied("bob:hush", "get", "/mine")
        self.denied("bob:hush", "member", "ls")
        self.expect("root:top", "member", "ls")
        lines = [json.loads(line) for line in self.audit.read_text().splitlines()]
        told = [(line["event"], line["method"], line["caller"], line["path"], line["reason"])
                for line in lines]
        self.assertEqual(told, [
            ("denied", "TreeService/Get", "ip:127.0.0.1 digest:bob", "/mine", "PERMISSION_DENIED"),
            ("denied", "ClusterService/ListMembers", "ip:127.0.0.1 digest:bob", "",
             "PERMISSION_DENIED"),
            ("administration", "ClusterService/ListMembers",
             "ip:127.0.0.1 digest:root super:", "", "OK")])
        for secret in ("hush", "top", digest("bob", "hush").split(":")[1]):
            self.assertNotIn(secret, self.audit.read_text() + self.one.log(10**6))
        self.assertEqual(self.audit.stat().st_mode & 0o777, 0o600)


class Flags(harness.TestCase):
    def test_what_cannot_be_meant_is_refused_at_the_start(self):
        for flags, reason in (
                (("--super-digest", "root"), "USER:HASH"),
                (("--super-digest", "root:secret"), "USER:HASH"),
                (("--admin-identity", "ann"), "no scheme"),
                (("--admin-identity", "ip:1.2.3"), "ADDRESS"),
                (("--admin-identity", "digest:ann:secret"), "USER:HASH"),
                (("--audit-log", str(self.folder / "no" / "such")), "audit-log")):
            status, said = self.server(*flags).run_to_end()
            self.assertNotEqual(status, 0, flags)
            self.assertIn(reason, said)

    def test_without_flags_everybody_administers(self):
        self.server().start().pando("member", "ls")

    def test_an_address_can_administer(self):
        self.server("--admin-identity", "ip:10.1.1.1;ip:127.0.0.0/8").start().pando("status")


if __name__ == "__main__":
    unittest.main()
