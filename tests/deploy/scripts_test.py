"""The chart's shell scripts, run as the pods run them (sh -euc), with a stand-in for `pando`.

What the scripts decide is tested here in every case; that the real binaries answer as the stand-in
does is tested by tests/k8s.
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FILES = ROOT / "helm/pando/files"

# Writes down its words, and answers from the file of that name, if there is one; else it fails.
# A word that is no part of the command is passed over: options, and what follows them.
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "$STATE/calls"
for answer in "$STATE"/answer.*; do
  words=$(basename "$answer" | cut -d . -f 2 | tr _ ' ')
  case "$(basename "$0") $*" in *"$words"*) exec cat "$answer" ;; esac
done
exit 69
"""


def status(*rows):
    """Rows of (id, role, answers) as `pando -o raw status` prints them."""
    return "".join(f"{i}\t{role}\t7\t100\t0\t4096\t0.1.0\tyes\t{answers}\tpando-{i}:7400\n"
                   for i, role, answers in rows)


def members(*rows):
    return "".join(f"{i}\t{role}\tab12\tpando-{i}:7400\tpando-{i}:7401\tpando-{i}:7402\n"
                   for i, role in rows)


class Script(unittest.TestCase):
    name = ""
    options = "-euc"
    environment = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pando-deploy-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        for name in ("pando", "pandod", "getent", "sleep"):
            program = self.bin / name
            program.write_text(STAND_IN)
            program.chmod(0o755)

    def answer(self, words, text=""):
        """Whoever is called with these words prints `text` and succeeds."""
        (self.folder / f"answer.{words.replace(' ', '_')}").write_text(text)

    def run_script(self, *arguments, **environment):
        """(exit status, what it printed, the calls it made)."""
        done = subprocess.run(
            ["sh", self.options, (FILES / self.name).read_text(), *arguments],
            env={"PATH": f"{self.bin}:{os.environ['PATH']}", "STATE": str(self.folder),
                 **self.environment, **environment},
            capture_output=True, text=True, timeout=30)
        calls = self.folder / "calls"
        made = calls.read_text().splitlines() if calls.exists() else []
        return done.returncode, done.stdout + done.stderr, made


class Start(Script):
    name = "start.sh"
    environment = {"INITIAL_REPLICAS": "3", "INITIAL_CLUSTER": "1=a:7401,2=b:7401,3=c:7401",
                   "CLIENT_SERVICE": "pando:7400", "JOIN_SERVICE": "pando-join:7401"}

    def started_with(self, pod):
        self.answer("pandod")
        code, output, calls = self.run_script(POD_NAME=pod)
        self.assertEqual(code, 0, output)
        return calls[-1]

    def test_founders_form_the_ensemble(self):
        self.assertEqual(self.started_with("my-pando-3"),
                         "pandod --id 3 --initial-cluster 1=a:7401,2=b:7401,3=c:7401")

    def test_a_founder_joins_an_ensemble_that_serves(self):
        self.answer("health")
        self.assertEqual(self.started_with("pando-3"), "pandod --id 3 --join pando-join:7401")

    def test_who_comes_later_joins(self):
        self.assertEqual(self.started_with("pando-4"), "pandod --id 4 --join pando-join:7401")

    def test_pandod_becomes_the_process_that_gets_the_signals(self):
        text = (FILES / self.name).read_text()
        self.assertEqual(text.count("exec pandod"), text.count("pandod --id"))


class PreStop(Script):
    name = "pre-stop.sh"
    options = "-uc"
    environment = {"POD_NAME": "pando-2"}

    def test_a_leader_hands_over(self):
        self.answer("status", status((1, "FOLLOWER", "yes"), (2, "LEADER", "yes")))
        self.answer("leader transfer")
        code, _, calls = self.run_script()
        self.assertEqual(code, 0)
        self.assertIn("leader transfer", calls[-1])

    def test_others_leave_the_leader_alone(self):
        self.answer("status", status((1, "LEADER", "yes"), (2, "FOLLOWER", "yes")))
        code, _, calls = self.run_script()
        self.assertEqual(code, 0)
        self.assertEqual(len(calls), 1)

    def test_a_failure_stops_nobody_from_stopping(self):
        self.answer("status", status((2, "LEADER", "yes")))
        self.assertEqual(self.run_script()[0], 0)  # the transfer fails
        (self.folder / "answer.status").unlink()
        self.assertEqual(self.run_script()[0], 0)


class Resize(Script):
    name = "resize.sh"
    environment = {"REPLICAS": "3", "POD_PREFIX": "pando-", "POD_DOMAIN": "peers"}

    def resize(self, when, **environment):
        code, output, calls = self.run_script("resize", when, **environment)
        changes = [call.removeprefix("pando member ") for call in calls
                   if call.startswith("pando member") and " ls" not in call]
        return code, output, changes

    def five(self, *silent):
        self.answer("getent ahosts pando-5.peers")
        self.answer("status", status((1, "LEADER", "yes"), *(
            (i, "FOLLOWER", "no" if i in silent else "yes") for i in (2, 3, 4, 5))))
        self.answer("member rm")

    def test_an_upgrade_that_keeps_the_size_does_not_need_the_ensemble(self):
        code, output, changes = self.resize("before")
        self.assertEqual((code, changes), (0, []), output)

    def test_who_goes_is_removed_first_from_the_top(self):
        self.five()
        code, output, changes = self.resize("before")
        self.assertEqual((code, changes), (0, ["rm 5", "rm 4"]), output)

    def test_the_silent_ones_go_before_the_others(self):
        self.five(4)
        self.assertEqual(self.resize("before")[::2], (0, ["rm 4", "rm 5"]))

    def test_one_that_stays_may_be_away(self):
        self.five(3)
        self.assertEqual(self.resize("before")[::2], (0, ["rm 5", "rm 4"]))

    def test_nothing_is_removed_when_no_majority_would_be_left(self):
        self.five(2, 3)
        code, output, changes = self.resize("before")
        self.assertEqual((code, changes), (1, []))
        self.assertIn("only 1 vote and answer, and a majority is 2", output)

    def test_a_learner_does_not_count(self):
        self.answer("getent ahosts pando-4.peers")
        self.answer("status", status((1, "LEADER", "yes"), (2, "LEARNER", "yes"),
                                     (3, "FOLLOWER", "no"), (4, "FOLLOWER", "yes")))
        self.assertEqual(self.resize("before")[::2], (1, []))

    def test_down_to_one(self):
        self.answer("getent ahosts pando-2.peers")
        self.answer("status", status((1, "FOLLOWER", "yes"), (2, "LEADER", "yes"),
                                     (3, "FOLLOWER", "yes")))
        self.answer("member rm")
        self.assertEqual(self.resize("before", REPLICAS="1")[::2], (0, ["rm 3", "rm 2"]))

    def test_without_an_answer_nothing_shrinks(self):
        self.answer("getent ahosts pando-5.peers")
        self.assertEqual(self.resize("before")[::2], (69, []))

    def test_a_removal_that_fails_ends_it(self):
        self.five()
        (self.folder / "answer.member_rm").unlink()
        self.assertEqual(self.resize("before")[::2], (69, ["rm 5"]))

    def test_after_a_change_all_vote_already(self):
        self.answer("status", status((1, "LEADER", "yes"), (2, "FOLLOWER", "yes"),
                                     (3, "FOLLOWER", "yes")))
        self.answer("member ls", members((1, "VOTER"), (2, "VOTER"), (3, "VOTER")))
        self.assertEqual(self.resize("after")[::2], (0, []))

    def test_members_that_had_no_pod_are_removed_afterwards(self):
        self.five(4, 5)
        self.answer("member ls", members(*((i, "VOTER") for i in (1, 2, 3))))
        self.assertEqual(self.resize("after")[::2], (0, ["rm 5", "rm 4"]))


class ResizeUp(Script):
    """With a stand-in that keeps the membership, and lets servers come and catch up late."""

    name = "resize.sh"
    environment = {"REPLICAS": "5", "POD_PREFIX": "pando-", "POD_DOMAIN": "peers"}

    def test_learners_are_promoted_when_they_have_come_and_caught_up(self):
        (self.bin / "pando").write_text("""#!/bin/sh
            echo "$*" >> "$STATE/calls"
            case "$*" in
              # It does not serve at once.
              *status) [ -e "$STATE/slept" ] || exit 69 ;;
              *"member ls") cat "$STATE/members" ;;
              "member promote 4")
                # The first time it has not caught up.
                if [ ! -e "$STATE/tried" ]; then touch "$STATE/tried"; exit 1; fi
                sed -i 's/^4\\tLEARNER/4\\tVOTER/' "$STATE/members" ;;
              "member promote 5") sed -i 's/^5\\tLEARNER/5\\tVOTER/' "$STATE/members" ;;
              *) exit 2 ;;
            esac
        """)
        # Server 5 joins while the script waits.
        joined = members((5, "LEARNER"))
        (self.bin / "sleep").write_text(f"""#!/bin/sh
            touch "$STATE/slept"
            grep -q '^5' "$STATE/members" || printf '{joined.encode('unicode_escape').decode()}' \\
              >> "$STATE/members"
        """)
        (self.folder / "members").write_text(
            members((1, "VOTER"), (2, "VOTER"), (3, "VOTER"), (4, "LEARNER")))
        code, output, calls = self.run_script("resize", "after")
        self.assertEqual(code, 0, output)
        promoted = [call for call in calls if "promote" in call]
        self.assertEqual(promoted, ["member promote 4"] * 2 + ["member promote 5"])


class Backup(Script):
    name = "backup.sh"
    environment = {"KEEP": "2"}

    def run_script(self, *arguments, **environment):
        # The volume is at /backup in the pod.
        here = self.folder / "backup"
        here.mkdir()
        for day in ("01", "02", "03"):
            (here / f"pando-202601{day}T031700Z.snapshot").touch()
        script = (FILES / self.name).read_text().replace("/backup/", f"{here}/")
        (self.folder / "script.sh").write_text(script)
        done = subprocess.run(["sh", self.options, script],
                              env={"PATH": f"{self.bin}:{os.environ['PATH']}",
                                   "STATE": str(self.folder), **self.environment},
                              capture_output=True, text=True, timeout=30)
        return done.returncode, sorted(file.name for file in here.iterdir())

    def test_the_newest_are_kept(self):
        (self.bin / "pando").write_text("""#!/bin/sh
            if [ "$2" = save ]; then touch "$3"; fi
        """)
        code, left = self.run_script()
        self.assertEqual(code, 0)
        self.assertEqual(left[0], "pando-20260103T031700Z.snapshot")
        self.assertEqual(len(left), 2)

    def test_nothing_is_deleted_when_there_is_no_new_one(self):
        code, left = self.run_script()
        self.assertNotEqual(code, 0)
        self.assertEqual(len(left), 3)


class Smoke(Script):
    name = "smoke.sh"
    environment = {"REPLICAS": "3"}

    def setUp(self):
        super().setUp()
        self.answer("create")
        self.answer("rm")
        self.answer("get", "written")
        self.answer("member ls", members((1, "VOTER"), (2, "VOTER"), (3, "VOTER")))

    def test_all_is_well(self):
        self.assertEqual(self.run_script()[0], 0)

    def test_what_was_written_must_be_read(self):
        self.answer("get", "something else")
        self.assertEqual(self.run_script()[0], 1)

    def test_a_server_that_does_not_vote_is_a_failure(self):
        self.answer("member ls", members((1, "VOTER"), (2, "VOTER"), (3, "LEARNER")))
        self.assertEqual(self.run_script()[0], 1)


if __name__ == "__main__":
    unittest.main()
