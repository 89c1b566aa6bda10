"""over_tls.py PORT FOLDER: what kazoo does over TLS at a port of Pando, with the certificates of a
folder of `pando certs`. Run by kazoo_tls.py, in kazoo's own environment.
"""

import pathlib
import queue
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import NoAuthError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.security import make_acl

START_S = 20
REFUSED_S = 1


def client(port, folder, name=None, trusts="ca", start_s=START_S):
    """Of whoever has the certificate; None if the server and it do not come together."""
    own = {"certfile": str(folder / f"{name}.crt"), "keyfile": str(folder / f"{name}.key")}
    one = KazooClient(hosts=f"127.0.0.1:{port}", use_ssl=True, ca=str(folder / f"{trusts}.crt"),
                      **(own if name else {}))
    try:
        one.start(timeout=start_s)
    except KazooTimeoutError:
        return None
    return one


def main():
    port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    alice, bob = client(port, folder, "alice"), client(port, folder, "bob")

    # Operations, large and small, transactions and watches.
    alice.create("/app", b"1")
    events = queue.Queue()
    assert bob.get("/app", watch=events.put)[0] == b"1"
    large = b"x" * 1_000_000
    alice.set("/app", large)
    assert events.get(timeout=START_S).type == "CHANGED"
    bob.sync("/app")
    assert bob.get("/app")[0] == large
    multi = alice.transaction()
    multi.create("/app/a")
    multi.check("/app", 1)
    assert multi.commit()[0] == "/app/a"
    assert alice.create("/app/e", ephemeral=True, sequence=True) == "/app/e0000000001"

    # Whoever has a certificate is its subject.
    alice.create("/hers", b"secret", acl=[make_acl("auth", "", all=True)])
    scheme_and_id = alice.get_acls("/hers")[0][0].id
    assert scheme_and_id.scheme == "x509" and "CN=alice" in scheme_and_id.id, scheme_and_id
    try:
        bob.get("/hers")
        raise AssertionError("bob reads what is alice's")
    except NoAuthError:
        pass

    # Both sides look at the other's certificate.
    assert client(port, folder, None, start_s=REFUSED_S) is None, "without a certificate"
    assert client(port, folder, "bob", "other", REFUSED_S) is None, "of a CA that is not trusted"

    for one in (alice, bob):
        one.stop()
        one.close()
    print("kazoo over TLS: passed")


if __name__ == "__main__":
    main()
