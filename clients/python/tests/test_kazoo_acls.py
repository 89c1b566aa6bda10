"""The cases of ACLs in kazoo's own tests (kazoo.tests.test_client), over the native API: an ACL
means the same on both ports. A test has the name that it has there.
"""

from __future__ import annotations

import base64
import hashlib

import pytest
from conftest import Connect

import pando
from pando.v1 import common_pb2 as common
from pando.v1 import tree_pb2 as tree

ALL = 0b11111
OPEN = common.AclEntry(
    identity=common.Identity(scheme="world", id="anyone"),
    permissions=ALL,
)


def digest_acl(user: str, password: str) -> common.AclEntry:
    """kazoo's make_digest_acl(user, password, all=True)."""
    hashed = base64.b64encode(hashlib.sha1(f"{user}:{password}".encode()).digest()).decode()
    identity = common.Identity(scheme="digest", id=f"{user}:{hashed}")
    return common.AclEntry(identity=identity, permissions=ALL)


@pytest.mark.parametrize(
    ("user", "password"),
    [
        pytest.param("user", "pass", id="test_auth"),
        pytest.param(r"xe4/\hm", r"/\xe4hm", id="test_unicode_auth"),
    ],
)
def test_auth(connect: Connect, root: str, user: str, password: str) -> None:
    acl = [digest_acl(user, password)]
    client = connect(identities=[f"digest:{user}:{password}"])
    client.create(f"{root}/1", acl=acl)
    client.create(f"{root}/1/2", acl=acl)
    client.create(f"{root}/1/2/3", acl=acl)
    # One without, and one with the wrong one.
    for eve in (connect(), connect(identities=["digest:badbad:bad"])):
        with pytest.raises(pando.PermissionDeniedError):
            eve.get(f"{root}/1/2")
    client.delete(f"{root}/1", recursive=True)


def test_connect_auth(connect: Connect, root: str) -> None:
    connect(identities=["digest:user:pass"]).create(f"{root}/1", acl=[digest_acl("user", "pass")])
    with pytest.raises(pando.PermissionDeniedError):
        connect().get(f"{root}/1", linearizable=True)


def test_async_auth_failure(connect: Connect) -> None:
    with pytest.raises(pando.UnauthenticatedError):
        connect(identities=["unknown-scheme:user:pass"])


def test_create_acl_duplicate(connect: Connect, root: str) -> None:
    session = connect()
    session.create(f"{root}/1", acl=[OPEN, OPEN])
    assert list(session.get_acl(f"{root}/1").acl) == [OPEN]


def test_create_acl_empty_list(connect: Connect, root: str) -> None:
    session = connect()
    session.create(f"{root}/1", acl=[])
    assert list(session.get_acl(f"{root}/1").acl) == [OPEN]


def test_create_makepath_incompatible_acls(connect: Connect, root: str) -> None:
    owner = connect(identities=["digest:username:password"])
    acl = [common.AclEntry(identity=common.Identity(scheme="auth"), permissions=ALL)]
    owner.create(f"{root}/1", b"val1", acl=acl)
    owner.create(f"{root}/1/2", b"val2", acl=acl)
    with pytest.raises(pando.PermissionDeniedError):
        connect().create(f"{root}/1/2/3/4/5", b"val2", create_parents=True)


def test_get_acls(connect: Connect, root: str) -> None:
    acl = digest_acl("user", "pass")
    connect().create(f"{root}/a", acl=[acl])
    session = connect(identities=["digest:user:pass"])
    assert list(session.get_acl(f"{root}/a").acl) == [acl]


def test_set_acls(connect: Connect, root: str) -> None:
    acl = digest_acl("user", "pass")
    session = connect()
    session.create(f"{root}/a")
    session.set_acl(f"{root}/a", [acl])
    assert list(connect(identities=["digest:user:pass"]).get_acl(f"{root}/a").acl) == [acl]
    with pytest.raises(pando.PermissionDeniedError):
        session.set_acl(f"{root}/a", [OPEN])


def test_set_acls_empty(connect: Connect, root: str) -> None:
    session = connect()
    session.create(f"{root}/a")
    with pytest.raises(pando.InvalidError):
        session.set_acl(f"{root}/a", [])


def test_set_acls_no_node(connect: Connect, root: str) -> None:
    with pytest.raises(pando.NoNodeError):
        connect().set_acl(f"{root}/a", [OPEN])


def test_default_acl(connect: Connect, root: str) -> None:
    session = connect(identities=["digest:user:pass"])
    acl = [digest_acl("user", "pass")]
    create = tree.CreateRequest(path=f"{root}/freddy", acl=acl)
    session.transact([tree.TransactOperation(create=create)])
    assert list(session.get_acl(f"{root}/freddy").acl) == acl
