#!/usr/bin/env python3
"""Three real servers and every fault that clients' tests need, as one child process of a test.

A test in any language starts it and talks to it in lines: a command and its words, answered by one
line of JSON. At the end of its input it stops everything that it started. Flags are pandod's, for
all servers. The binaries are those of PANDO_BIN (build/release/bin).

  →                      {"endpoints": [...]}   once, when the three servers have a leader
  leader                 {"id": 2}              the server that leads, once one does
  kill ID                {}                     kill -9
  start ID               {}                     and ready again
  pause ID, resume ID    {}                     SIGSTOP, SIGCONT: connections stay open
  front ID               {"endpoint": ...}      a TCP front before the server, for these:
  mute ENDPOINT          {}                     requests pass; replies are lost
  silence ENDPOINT       {}                     all is lost, and nothing refused
  cut ENDPOINT           {}                     connections are ended; new ones pass
  silent                 {"endpoint": ...}      takes connections, and never answers
  nobody                 {"endpoint": ...}      nobody listens there
  stranger               {"endpoint": ...}      a server of another ensemble
  http                   {"endpoint": ...}      a server, but not for gRPC
  tls [expired]          {"endpoint": ...}      a server of another ensemble that demands a
                         certificate, and has a good one, or one that has expired; and beside it, as
                         PEM texts, what to try on it: ca, certificate, key, other_ca
What cannot be done is answered by {"error": "..."}.
"""

import ctypes
import json
import pathlib
import signal
import ssl
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(pathlib.Path(__file__).resolve().parent)]

import certs  # noqa: E402
import fronts  # noqa: E402
import harness  # noqa: E402

_PR_SET_PDEATHSIG = 1


def die_with_parent():
    """No server outlives the test, whatever ends that."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Server(harness.Server):
    def spawn(self, *more, **popen):
        return super().spawn(*more, preexec_fn=die_with_parent, **popen)


class Ensemble(harness.Ensemble):
    def make(self, server_id, *flags, **options):
        options.setdefault("data_dir", self.folder / f"data-{server_id}")
        return Server(self.folder, *self.flags, *flags, server_id=server_id, **options)


class Commands:
    """What a test may ask for: a method each."""

    def __init__(self, folder, flags):
        self._folder = folder
        self._ensemble = Ensemble(folder, *flags)
        self._fronts = {}
        self._others = []

    def begin(self):
        self._ensemble.start().leader()
        return {"endpoints": [s.endpoint for s in self._ensemble.servers.values()]}

    def end(self):
        for other in [*self._fronts.values(), *self._others, self._ensemble]:
            other.close()

    def leader(self):
        return {"id": self._ensemble.leader().id}

    def kill(self, server):
        self._server(server).kill()

    def start(self, server):
        self._server(server).start()

    def pause(self, server):
        self._server(server).process.send_signal(signal.SIGSTOP)

    def resume(self, server):
        self._server(server).process.send_signal(signal.SIGCONT)

    def front(self, server):
        front = fronts.Front(self._server(server).ports[0])
        self._fronts[front.endpoint] = front
        return {"endpoint": front.endpoint}

    def mute(self, endpoint):
        self._fronts[endpoint].mute()

    def silence(self, endpoint):
        self._fronts[endpoint].silence()

    def cut(self, endpoint):
        self._fronts[endpoint].cut()

    def silent(self):
        self._others.append(harness.SilentListener())
        return {"endpoint": self._others[-1].endpoint}

    def nobody(self):
        return {"endpoint": f"127.0.0.1:{harness.free_ports(1)[0]}"}

    def stranger(self):
        return {"endpoint": self._other_server().start().endpoint}

    def tls(self, name="server"):
        server = self._other_server()
        own, other = certs.Certs(server.folder / "certs"), certs.Certs(server.folder / "other")
        own.sign("expired", -1, "127.0.0.1")
        server.flags += own.server_flags(name)
        server.https = ssl._create_unverified_context()
        server.start()
        files = {"ca": own.path("ca.crt"), "certificate": own.path("client.crt"),
                 "key": own.path("client.key"), "other_ca": other.path("ca.crt")}
        texts = {name: pathlib.Path(path).read_text() for name, path in files.items()}
        return {"endpoint": server.endpoint, **texts}

    def http(self):
        return {"endpoint": f"127.0.0.1:{self._server(1).ports[2]}"}

    def _other_server(self):
        folder = self._folder / f"other-{len(self._others)}"
        folder.mkdir()
        self._others.append(Server(folder))
        return self._others[-1]

    def _server(self, server):
        return self._ensemble.servers[int(server)]


def answer(commands, words):
    name, *arguments = words
    if name.startswith("_") or not hasattr(commands, name):
        return {"error": f"no such command: {name}"}
    try:
        return getattr(commands, name)(*arguments) or {}
    except Exception as error:  # whatever it is, it is the test's to say
        return {"error": f"{name}: {error!r}"}


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the test ends it
    with tempfile.TemporaryDirectory(prefix="pando-clients-") as folder:
        commands = Commands(pathlib.Path(folder), sys.argv[1:])
        try:
            print(json.dumps(answer(commands, ["begin"])), flush=True)
            for line in sys.stdin:
                if words := line.split():
                    print(json.dumps(answer(commands, words)), flush=True)
        finally:
            commands.end()


if __name__ == "__main__":
    main()
