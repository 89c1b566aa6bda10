"""A gRPC caller of the standard library's sockets alone, for tests that must misbehave: it sends
what it likes when it likes, and reads or does not.

HTTP/2 as far as that needs (RFC 9113): frames, and headers without compression (RFC 7541, 6.2.2).
"""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
FRAME_BYTES_MAX = 16_384


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(text):
    assert len(text) < 127
    return bytes([len(text)]) + text.encode()


def headers(path):
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "test",
              "te": "trailers", "content-type": "application/grpc"}
    return b"".join(b"\0" + literal(name) + literal(value) for name, value in fields.items())


def message(payload):
    """As gRPC puts a message into a stream: not compressed, then its length."""
    return b"\0" + struct.pack(">I", len(payload)) + payload


class Call:
    """One connection with one call on it."""

    def __init__(self, port, path, timeout_s=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0) +
                            frame(HEADERS, END_HEADERS, 1, headers(path)))
        self.received = b""
        # What may be sent: on the connection, and in the call.
        self.windows = {0: 65_535, 1: 65_535}
        self.first_window = 65_535

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @property
    def address(self):
        """As the server's log names it."""
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def send_raw(self, payload):
        """A part of a message, as it is. Waits for room; what comes meanwhile is lost."""
        while payload:
            room = min(*self.windows.values(), FRAME_BYTES_MAX)
            if room <= 0:
                if self.read_frame() is None:
                    raise ConnectionResetError("ended while it waited for room")
                continue
            self.socket.sendall(frame(DATA, 0, 1, payload[:room]))
            for stream in self.windows:
                self.windows[stream] -= len(payload[:room])
            payload = payload[room:]

    def send(self, payload):
        self.send_raw(message(payload))

    def read_frame(self):
        """(kind, flags, stream, payload); None at the end of the connection."""
        head = self._exactly(9)
        if head is None:
            return None
        length = int.from_bytes(head[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        payload = self._exactly(length)
        if payload is None:
            return None
        if kind == WINDOW_UPDATE and stream in self.windows:
            self.windows[stream] += int.from_bytes(payload, "big")
        if kind == RST_STREAM:
            self.windows[1] = -(1 << 40)
        if kind == SETTINGS and not flags & ACK:
            for start in range(0, length, 6):
                setting, value = struct.unpack(">HI", payload[start:start + 6])
                if setting == INITIAL_WINDOW_SIZE:
                    self.windows[1] += value - self.first_window
                    self.first_window = value
            self.socket.sendall(frame(SETTINGS, ACK, 0))
        if kind == PING and not flags & ACK:
            self.socket.sendall(frame(PING, ACK, 0, payload))
        return kind, flags, stream, payload

    def read_to_end(self):
        """What came in the call's stream until it or the connection ended."""
        data = b""
        while True:
            try:
                got = self.read_frame()
            except ConnectionError:
                return data
            if got is None:
                return data
            kind, flags, stream, payload = got
            if stream == 1 and kind == DATA:
                data += payload
            if stream == 1 and (kind == RST_STREAM or
                                (kind in (DATA, HEADERS) and flags & END_STREAM)):
                return data

    def _exactly(self, count):
        while len(self.received) < count:
            more = self.socket.recv(1 << 16)
            if not more:
                return None
            self.received += more
        taken, self.received = self.received[:count], self.received[count:]
        return taken
