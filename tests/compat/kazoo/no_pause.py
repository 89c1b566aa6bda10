"""A plugin of pytest: after each of its many starts kazoo's cluster waits for two seconds. Here it
waits until all of its servers serve.
"""

import socket
import time

import kazoo.testing.common

START_S = 30


def serves(server):
    try:
        with socket.create_connection(("127.0.0.1", server.client_port), timeout=5) as connection:
            connection.sendall(b"srvr")
            return b"Mode:" in b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError:
        return False


def start(self):
    for server in reversed(list(self)):
        server.run()
    deadline = time.monotonic() + START_S
    while not all(map(serves, self)) and time.monotonic() < deadline:
        time.sleep(0.01)


kazoo.testing.common.ZookeeperCluster.start = start
