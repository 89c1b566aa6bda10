"""Front: a TCP proxy before a server, with faults between the two."""

import contextlib
import socket
import threading

_CHUNK = 1 << 16


class Front:
    """Passes bytes both ways, until it is told otherwise. One thread a direction."""

    def __init__(self, port):
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.endpoint = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._sockets = set()
        self._requests_pass = threading.Event()
        self._replies_pass = threading.Event()
        self._requests_pass.set()
        self._replies_pass.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def mute(self):
        """Requests go on to the server; what it says is lost."""
        self._replies_pass.clear()

    def silence(self):
        """What either says is lost; connections stay, and new ones are taken."""
        self._requests_pass.clear()
        self._replies_pass.clear()

    def cut(self):
        """All connections are ended; new ones pass."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._requests_pass.set()
        self._replies_pass.set()

    def close(self):
        self._listener.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._sockets |= {client, server}
            requests = (client, server, self._requests_pass)
            replies = (server, client, self._replies_pass)
            for direction in (requests, replies):
                threading.Thread(target=self._pump, args=direction, daemon=True).start()

    def _pump(self, source, sink, passes):
        try:
            while chunk := source.recv(_CHUNK):
                if passes.is_set():
                    sink.sendall(chunk)
        except OSError:
            pass
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._sockets -= {source, sink}
        source.close()
