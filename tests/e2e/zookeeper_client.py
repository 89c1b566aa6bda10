"""A client of the ZooKeeper protocol that hides nothing: frames as they come, in their order."""

import socket
import struct

CREATE, DELETE, EXISTS, GET_DATA, SET_DATA = 1, 2, 3, 4, 5
GET_CHILDREN, SYNC, PING, RECONFIG, CLOSE, AUTH, WHO_AM_I = 8, 9, 11, 16, -11, 100, 107
FILTERED_LIST, CREATE_IF_NOT_EXISTS, REMOVE_RECURSIVE = 500, 502, 503
MARSHALLING_ERROR = -5
NO_NODE, NO_AUTH, BAD_ARGUMENTS, INVALID_ACL = -101, -102, -8, -114
UNIMPLEMENTED, NO_QUORUM, BAD_VERSION, NOT_EMPTY = -6, -13, -103, -111
NOT_READ_ONLY, RECONFIG_DISABLED, QUOTA_EXCEEDED = -119, -123, -125
EVENT_XID, AUTH_XID = -1, -4
CREATE_CONTAINER = 19
EPHEMERAL, SEQUENTIAL, CONTAINER = 1, 2, 4
OPEN_ACL = [(31, "world", "anyone")]
STAT = struct.Struct(">qqqqiiiqiiq")


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">i", len(value)) + value


def take_text(data):
    """The text at the front, and the rest."""
    size = struct.unpack(">i", data[:4])[0]
    return data[4:4 + size], data[4 + size:]


class Failed(Exception):
    def __init__(self, code):
        super().__init__(f"error {code}")
        self.code = code


class Client:
    """One connection. Without connect() it has no session yet.

    With `tls`, an ssl.SSLContext, it shakes hands at `port` first.
    """

    def __init__(self, server, timeout_s=20, tls=None, port=None):
        address = ("127.0.0.1", port or server.ports[3])
        self.socket = socket.create_connection(address, timeout_s)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=address[0])
        self.send_at_once = 1 << 20  # bytes that are given to the socket in one go
        self.xid = 0
        self.events = []  # (type, path, how many replies came before it)
        self.replies = 0
        self.zxid = 0
        self.read_only = None  # of the server, as it greeted

    def close(self):
        self.socket.close()

    def send(self, payload):
        frame = struct.pack(">i", len(payload)) + payload
        for start in range(0, len(frame), self.send_at_once):
            self.socket.sendall(frame[start:start + self.send_at_once])

    def read(self):
        """One frame; None at the end."""
        head = self._read(4)
        return head and self._read(struct.unpack(">i", head)[0])

    def _read(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionError:
                return None
            if not more:
                return None
            data += more
        return data

    def connect(self, session=0, password=bytes(16), last_zxid=0, timeout_ms=10_000,
                read_only=False):
        """(timeout in ms, session, password), or None if the server closes the connection."""
        self.send(struct.pack(">iqiqi", 0, last_zxid, timeout_ms, session, 16) + password +
                  bytes([read_only]))
        answer = self.read()
        if answer is None:
            return None
        _, timeout_ms, session, _ = struct.unpack(">iiqi", answer[:20])
        self.read_only = answer[36] != 0
        return timeout_ms, session, answer[20:36]

    def ask(self, opcode, record=b"", xid=None):
        """Sends it and does not wait. The xid."""
        if xid is None:
            self.xid += 1
            xid = self.xid
        self.send(struct.pack(">ii", xid, opcode) + record)
        return xid

    def answer(self, xid):
        """The record of the next reply, which must be this one's; keeps the events before it."""
        while True:
            frame = self.read()
            if frame is None:
                raise ConnectionError("the server has closed the connection")
            came, zxid, error = struct.unpack(">iqi", frame[:16])
            if came != EVENT_XID:
                break
            kind, _ = struct.unpack(">ii", frame[16:24])
            self.events.append((kind, take_text(frame[24:])[0].decode(), self.replies))
        assert came == xid, f"the reply of {came} in the place of {xid}'s"
        assert xid == AUTH_XID or zxid >= self.zxid, f"zxid {zxid} after {self.zxid}"
        self.zxid = max(self.zxid, zxid)
        self.replies += 1
        if error != 0:
            raise Failed(error)
        return frame[16:]

    def call(self, opcode, record=b"", xid=None):
        return self.answer(self.ask(opcode, record, xid))

    def ask_create(self, path, data=b"", flags=0, acl=None, opcode=CREATE):
        acl = OPEN_ACL if acl is None else acl
        entries = b"".join(struct.pack(">i", perms) + text(scheme) + text(who)
                           for perms, scheme, who in acl)
        return self.ask(opcode, text(path) + text(data) + struct.pack(">i", len(acl)) + entries +
                        struct.pack(">i", flags))

    def create(self, *words, **more):
        return take_text(self.answer(self.ask_create(*words, **more)))[0].decode()

    def get(self, path, watch=False):
        """Data, version, owner."""
        data, rest = take_text(self.call(GET_DATA, text(path) + bytes([watch])))
        stat = STAT.unpack(rest)
        return data, stat[4], stat[7]

    def set(self, path, data, version=-1):
        self.call(SET_DATA, text(path) + text(data) + struct.pack(">i", version))

    def delete(self, path, version=-1):
        self.call(DELETE, text(path) + struct.pack(">i", version))

    def children(self, path):
        return self.take_names(self.call(GET_CHILDREN, text(path) + b"\0"))

    @staticmethod
    def take_names(rest):
        count, rest = struct.unpack(">i", rest[:4])[0], rest[4:]
        names = []
        for _ in range(count):
            name, rest = take_text(rest)
            names.append(name.decode())
        return names

    def who_am_i(self):
        """["scheme:user", …]"""
        rest = self.call(WHO_AM_I)
        count, rest = struct.unpack(">i", rest[:4])[0], rest[4:]
        names = []
        for _ in range(count):
            scheme, rest = take_text(rest)
            user, rest = take_text(rest)
            names.append(f"{scheme.decode()}:{user.decode()}")
        return names

    def reconfig(self, joining=None, leaving=None, members=None, config=-1):
        """The configuration afterwards."""
        parts = b"".join(struct.pack(">i", -1) if part is None else text(part)
                         for part in (joining, leaving, members))
        return take_text(self.call(RECONFIG, parts + struct.pack(">q", config)))[0].decode()

    def add_auth(self, scheme, credential):
        self.call(AUTH, struct.pack(">i", 0) + text(scheme) + text(credential), AUTH_XID)
