"""What the end-to-end tests share: a real pandod on free ports of loopback, and the real CLI.

Every wait is for an event, is bounded, and shows the server's log when it fails.
"""

import contextlib
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("PANDO_BIN", ROOT / "build" / "release" / "bin"))
PANDOD = str(BIN / "pandod")
PANDO = str(BIN / "pando")

START_S = 30
STOP_S = 10


def clean_environment():
    """The environment without what would change a server's or client's flags."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PANDO_")}


GIVEN_PORTS = set()


def free_ports(count):
    """Ports that nobody listens on now. None is given twice: whoever has it may not listen yet."""
    with contextlib.ExitStack() as held:
        ports = []
        while len(ports) < count:
            listener = held.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            if port not in GIVEN_PORTS:
                GIVEN_PORTS.add(port)
                ports.append(port)
        return ports


def free_base_port(count=4):
    """The first of `count` ports in a row that nobody listens on now."""
    while True:
        base = free_ports(1)[0]
        with contextlib.ExitStack() as held:
            try:
                for port in range(base, base + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                return base
            except (OSError, OverflowError):
                continue


def wait_until(condition, timeout_s, what):
    """The first true value of condition(), asked again every few milliseconds."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s")
        time.sleep(0.01)


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


class Lines:
    """The lines of a process's output, as they come, for a test that must not wait for ever."""

    def __init__(self, stream):
        self.lines = queue.Queue()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        for line in stream:
            self.lines.put(line)
        self.lines.put("")

    def next(self, timeout_s=20):
        """One line; "" at the end."""
        try:
            return self.lines.get(timeout=timeout_s)
        except queue.Empty:
            raise AssertionError(f"no line within {timeout_s} s") from None


class Server:
    """One pandod and its data dir. Start it as often as you like."""

    def __init__(self, folder, *flags, server_id=1, data_dir=None, ports=None):
        self.folder = pathlib.Path(folder)
        self.data_dir = pathlib.Path(data_dir or self.folder / "data")
        self.log_path = self.folder / f"pandod-{server_id}.log"
        self.id = server_id
        self.flags = list(flags)
        self.pandod = PANDOD
        self.ports = ports or free_ports(4)
        self.process = None
        self.https = None  # an ssl.SSLContext where the HTTP port speaks TLS

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.ports[0]}"

    def command(self, *more):
        names = ("client", "peer", "http", "zookeeper")
        listen = [f"--listen-{name}=127.0.0.1:{port}" for name, port in zip(names, self.ports)]
        return [self.pandod, "--id", str(self.id), "--data-dir", str(self.data_dir), *listen,
                *self.flags, *more]

    def spawn(self, *more, **popen):
        """Starts the process and does not wait for it."""
        assert self.process is None, "already started"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(*more), stdout=log, stderr=log,
                                            env=popen.pop("env", clean_environment()), **popen)
        return self

    def start(self, *more, **popen):
        """Starts the process and waits until it is ready."""
        self.spawn(*more, **popen)
        self.wait_ready()
        return self

    def wait_ready(self, timeout_s=START_S):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"pandod ended with {self.process.returncode}:\n{self.log()}")
            return self.http("/readyz")[0] == 200

        try:
            wait_until(ready, timeout_s, "ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def run_to_end(self, *more, timeout_s=START_S, **popen):
        """For a server that must refuse to start: its exit status and what it printed."""
        done = subprocess.run(self.command(*more), capture_output=True, timeout=timeout_s,
                              text=True, env=popen.pop("env", clean_environment()), **popen)
        return done.returncode, done.stdout + done.stderr

    def stop(self, sig=signal.SIGTERM, timeout_s=STOP_S):
        """Ends the process with `sig`, and returns its exit status (negative: the signal)."""
        process, self.process = self.process, None
        process.send_signal(sig)
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"runs {timeout_s} s after {sig}:\n{self.log()}") from None

    def kill(self):
        return self.stop(signal.SIGKILL)

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log(self, last=6000):
        if not self.log_path.exists():
            return "(no log)"
        return self.log_path.read_text(errors="replace")[-last:]

    def http(self, path):
        """(status, body); (0, reason) when nothing answers."""
        url = f"{'https' if self.https else 'http'}://127.0.0.1:{self.ports[2]}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5, context=self.https) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def resident_bytes(self):
        return resident_bytes(self.process.pid)

    def metrics(self):
        """{name with labels: number}; {} when nothing answers."""
        status, body = self.http("/metrics")
        if status != 200:
            return {}
        lines = (line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in lines}

    def environment(self):
        """What leads the CLI here."""
        return {**clean_environment(), "PANDO_ENDPOINTS": self.endpoint}

    def pando(self, *words, check=True, text=True, timeout_s=60, **run):
        """Runs the CLI against this server."""
        done = subprocess.run([PANDO, *map(str, words)], capture_output=True, text=text,
                              timeout=timeout_s, env=run.pop("env", self.environment()), **run)
        if check and done.returncode != 0:
            raise AssertionError(f"pando {' '.join(map(str, words))}: exit {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}\n{self.log()}")
        return done


class Ensemble:
    """Servers 1 to `count` that form one ensemble; more may be added to `servers`."""

    def __init__(self, folder, *flags, count=3):
        self.folder = pathlib.Path(folder)
        self.flags = flags
        free = free_ports(4 * count)
        ports = {i: free[4 * i - 4:4 * i] for i in range(1, count + 1)}
        members = ",".join(f"{i}=127.0.0.1:{own[1]}" for i, own in ports.items())
        self.initial = f"--initial-cluster={members}"
        self.servers = {i: self.make(i, self.initial, ports=own) for i, own in ports.items()}

    def make(self, server_id, *flags, **options):
        """A server beside those that are there; it is not started, and not one of `servers` yet."""
        options.setdefault("data_dir", self.folder / f"data-{server_id}")
        return Server(self.folder, *self.flags, *flags, server_id=server_id, **options)

    def start(self):
        for server in self.servers.values():
            server.spawn()
        for server in self.servers.values():
            server.wait_ready()
        return self

    def close(self):
        for server in self.servers.values():
            server.close()

    def running(self):
        return [server for server in self.servers.values() if server.process is not None]

    def environment(self, first=None):
        """What leads the CLI to all servers, and to `first` before the others."""
        servers = sorted(self.servers.values(), key=lambda server: server is not first)
        endpoints = ",".join(server.endpoint for server in servers)
        return {**clean_environment(), "PANDO_ENDPOINTS": endpoints}

    def pando(self, *words, first=None, **run):
        """Runs the CLI against whichever of them answers."""
        return next(iter(self.servers.values())).pando(
            *words, env=run.pop("env", self.environment(first)), **run)

    def status(self):
        """What `pando status` says, with members by id; None while there is no leader."""
        done = self.pando("status", "-o", "json", check=False)
        if done.returncode != 0:
            return None
        status = json.loads(done.stdout)
        return {**status, "members": {member["id"]: member for member in status["members"]}}

    def leader(self, timeout_s=20, other_than=None):
        """The server that leads, once one does."""
        def leads():
            status = self.status()
            server = status and self.servers.get(status["leader_id"])
            return server if server is not other_than else None

        return wait_until(leads, timeout_s, "a leader")

    def followers(self):
        leader = self.leader()
        return [server for server in self.running() if server is not leader]


def bench_command(endpoints, workload, *flags):
    return [PANDO, "bench", workload, "--endpoints", endpoints, "-o", "json", *map(str, flags)]


def bench(endpoints, workload, *flags):
    """What `pando bench` reports of a load, of which nothing may fail."""
    done = subprocess.run(bench_command(endpoints, workload, *flags), capture_output=True,
                          text=True, env=clean_environment())
    if done.returncode != 0:
        raise AssertionError(f"pando bench {workload} {flags}: {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


class SilentListener:
    """A server that takes every connection and never says a word."""

    def __init__(self):
        # The kernel takes them, and nobody accepts.
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.endpoint = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def close(self):
        self.socket.close()


class Watcher:
    """`pando watch -r -o json` as a process whose events are collected in a file."""

    def __init__(self, server, path, *words, out, env=None):
        self.out = pathlib.Path(out)
        self.errors = self.out.with_suffix(".err")
        with open(self.out, "ab") as out_file, open(self.errors, "ab") as error_file:
            self.process = subprocess.Popen(
                [PANDO, "watch", "-r", "-o", "json", *map(str, words), path],
                stdin=subprocess.DEVNULL, stdout=out_file, stderr=error_file,
                env=env or server.environment())

    def events(self):
        """All whole lines so far, one by one: there may be more than fit into memory."""
        with open(self.out, "rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield json.loads(line)

    def last_revision(self):
        """Of the last whole line; 0 if there is none. Cheap however much there is."""
        with open(self.out, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            tail = 1 << 16
            while True:
                file.seek(max(size - tail, 0))
                text = file.read(size - file.tell())
                text = text[:text.rfind(b"\n") + 1]
                start = text.rfind(b"\n", 0, -1) + 1
                if text and (start > 0 or tail >= size):
                    return json.loads(text[start:])["revision"]
                if tail >= size:
                    return 0
                tail *= 4

    def wait_for(self, revision, timeout_s):
        def seen():
            if self.process.poll() is not None:
                raise AssertionError(f"the watch ended with {self.process.returncode}: "
                                     f"{self.errors.read_text()}")
            return self.last_revision() >= revision

        wait_until(seen, timeout_s, f"revision {revision} seen by the watch")

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(STOP_S)


class TestCase(unittest.TestCase):
    """A folder for the test, and servers that end with it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pando-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def server(self, *flags, **options):
        server = Server(self.folder, *flags, **options)
        self.addCleanup(server.close)
        return server
