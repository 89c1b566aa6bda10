"""The Java client's zkCli, typed into as a person would, with its server killed in the middle."""

import re
import subprocess

import servers

WAIT_S = 60

# (what is typed, what must be printed then). {session} is the own session, as zkCli prints it.
BEFORE = [
    ("create /zkcli first", r"Created /zkcli"),
    ("create -s /zkcli/s- x", r"Created /zkcli/s-0000000000"),
    ("create -e /zkcli/e x", r"Created /zkcli/e"),
    ("create -c /zkcli/container", r"Created /zkcli/container"),
    ("set /zkcli second", None),
    ("get -s /zkcli", r"second\ncZxid = 0x[0-9a-f]+\n(?s:.*)dataVersion = 1\n"),
    ("ls -R /zkcli", r"/zkcli\n/zkcli/container\n/zkcli/e\n/zkcli/s-0000000000"),
    ("ls -s /zkcli", r"\[container, e, s-0000000000\]\s*cZxid(?s:.*)numChildren = 3"),
    ("set -v 7 /zkcli x", r"version No is not valid : /zkcli"),
    ("delete /zkcli", r"Node not empty: /zkcli"),
    ("get /none", r"Node does not exist: /none"),
    ("create /zkcli again", r"Node already exists: /zkcli"),
    ("create /zkcli/e/below x", r"Ephemerals cannot have children: /zkcli/e/below"),
    ("getEphemerals /zkcli", r"\[/zkcli/e\]"),
    ("getAllChildrenNumber /zkcli", r"3"),
    ("addauth digest me:secret", None),
    ("whoami", r"digest: me"),
    ("create /zkcli/mine x auth::cdrwa", r"Created /zkcli/mine"),
    ("getAcl /zkcli/mine", r"'digest,'me:\S+\n: cdrwa"),
    ("setAcl /zkcli/mine world:anyone:r", None),
    ("set /zkcli/mine y", r"Insufficient permission : /zkcli/mine"),
    ("sync /zkcli", r"Sync is OK"),
    ("stat -w /zkcli/s-0000000000", r"dataLength = 1"),
    ("addWatch -m PERSISTENT_RECURSIVE /zkcli", None),
    ("set /zkcli third", r"type:NodeDataChanged path:/zkcli\b"),
]
AFTER = [
    ("get /zkcli", r"third"),
    ("get /zkcli/e", r"x"),  # the session lives on
    ("create /zkcli/later x", r"type:NodeCreated path:/zkcli/later"),
    ("set /zkcli/s-0000000000 y", r"type:NodeDataChanged path:/zkcli/s-0000000000"),
    ("removewatches /zkcli", None),
    ("deleteall /zkcli", None),
    ("ls /", r"(?!.*zkcli).*zookeeper"),
    ("version", r"ZooKeeper CLI version: 3\.9"),
]
REMOTE = re.compile(r"remoteserver:\S*/([0-9.]+:[0-9]+)|server (?:\S+)?/([0-9.]+:[0-9]+)")


class Cli:
    """One zkCli. It says after each command on a line of its own that it is done."""

    def __init__(self, addresses):
        jars = servers.zookeeper_jars()
        self.process = subprocess.Popen(
            ["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=info", "-cp", f"{jars}/*",
             "org.apache.zookeeper.ZooKeeperMain", "-timeout", "20000",
             "-server", ",".join(addresses)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = servers.harness.Lines(self.process.stdout)
        self.printed = ""

    def read_until(self, pattern, what):
        """Reads until the output since the last call matches."""
        text = ""
        while not re.search(pattern, text, re.MULTILINE):
            line = self.lines.next(WAIT_S)
            if not line:
                raise AssertionError(f"zkCli ended at {what}:\n{text}")
            text += line
        self.printed += text
        return text

    def type(self, line, expected):
        self.process.stdin.write(line + "\n")
        # A command that is none, whose complaint tells that the one before is done.
        self.process.stdin.write("history-end\n")
        self.process.stdin.flush()
        text = self.read_until(r"Command not found: Command not found history-end", line)
        # Events come on a thread of their own, maybe after that.
        if expected and not re.search(expected, text, re.MULTILINE):
            try:
                self.read_until(expected, line)
            except AssertionError as error:
                raise AssertionError(f"{line}: wanted {expected}, got:\n{text}") from error

    def server(self):
        found = [one or other for one, other in REMOTE.findall(self.printed)]
        return found[-1]


def passes(ensemble):
    cli = Cli(ensemble.addresses)
    try:
        cli.read_until(r"Session establishment complete", "connect")
        for line, expected in BEFORE:
            cli.type(line, expected)
        ensemble.kill(cli.server())
        cli.read_until(r"Session establishment complete", "reconnect")
        for line, expected in AFTER:
            cli.type(line, expected)
        cli.process.stdin.write("quit\n")
        cli.process.stdin.flush()
        cli.process.wait(WAIT_S)  # its status is that of the last command, which was none
        return True
    except AssertionError as error:
        print(f"zkCli: {error}")
        return False
    finally:
        cli.process.kill()
        cli.process.wait()
