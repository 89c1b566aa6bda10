"""operators.py [--record|--recorded]: what those who look after ZooKeeper ask of it, four-letter
words and the AdminServer's commands, asked of a leader, a follower and an observer of a real
ZooKeeper and of Pando.

What a program finds in the answers must be the same: lines and their order of words, names, and
the kinds of values. Their values are not compared. --record writes down what ZooKeeper says, and
--recorded compares Pando with that: CI has no ZooKeeper. Differences that are meant are in
operators.json, each with its reason.
"""

import gzip
import json
import pathlib
import re
import sys
import tempfile
import urllib.request

import servers
import zookeeper_client as zk

RECORDING = servers.HERE / "testdata" / "operators-3.9.5.json.gz"
EXPLAINED = servers.HERE / "operators.json"

ENSEMBLE = {"count": 4, "observers": 1}
# The two that reset come last: what they reset is asked for before.
WORDS = ("ruok srvr stat conf cons envi mntr wchs wchc wchp dump isro dirs crst srst").split()
OF_LINES = {"conf": "=", "envi": "=", "mntr": "\t"}  # a name, this, and a value

# What differs from one moment, or one machine, to the next; the first that matches.
VALUES = [(re.compile(pattern), stands_for) for pattern, stands_for in (
    (r"(?<=version: ).*", "VERSION"),
    (r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \w+ \d{4}", "DATE"),
    (r"(?<=lop=)\w+", "OPERATION"),
    (r"0x[0-9a-f]+", "ID"),
    (r"127\.0\.0\.1:\d+\[\d\]", "CLIENT"),
    (r"127\.0\.0\.1:\d+", "CLIENT"),
    (r"\d+(\.\d+)?", "N"),
)]
# Names that are data: of sessions, times and paths.
DATA = re.compile(r"\d|/")


def kind(value):
    """Of what JSON holds, or a line; null is something that may be missing."""
    if isinstance(value, bool):
        return "truth"
    text = str(value)
    if re.fullmatch(r"-?\d+", text):
        return "integer"
    return "decimal" if re.fullmatch(r"-?\d+\.\d+(E-?\d+)?", text) else "text"


def shape_of_json(value, path=""):
    """{where: kind}."""
    if isinstance(value, dict):
        inner = [(f"{path}.{'*' if DATA.match(name) else name}", one)
                 for name, one in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[]", one) for one in value]
    else:
        return {path: "null" if value is None else kind(value)}
    shape = {}
    for where, one in inner:
        shape.update(shape_of_json(one, where))
    return shape


def kind_of_line(name, value=None):
    """A line may be a title. The version of the configuration is written like a zxid."""
    if value is None:
        return "line"
    return "hexadecimal" if name == "version" else kind(value)


def shape_of_word(word, text):
    """{name: kind} of lines that are one name and one value each; else {line: "line"}."""
    lines = text.splitlines()
    if word in OF_LINES:
        pairs = (line.split(OF_LINES[word], 1) for line in lines)
        return {pair[0]: kind_of_line(*pair) for pair in pairs}
    for pattern, stands_for in VALUES:
        lines = [pattern.sub(stands_for, line) for line in lines]
    return {line: "line" for line in lines}


def command(port, name=""):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/commands/{name}", timeout=10) as answer:
        return answer.read().decode()


def say(ensemble):
    """{role: {what is asked: shape of the answer}}."""
    clients = []
    for number, address in enumerate(ensemble.addresses):
        client = zk.Client(None, port=int(address.rsplit(":", 1)[1]))
        clients.append(client)
        client.connect(timeout_ms=30_000)
        client.create(f"/operators-{number}", b"x", flags=zk.EPHEMERAL)
        client.get(f"/operators-{number}", watch=True)
    roles = {}
    for address in ensemble.addresses:
        roles[re.search("Mode: (.*)", servers.four_letters(address, "srvr"))[1]] = address
    said = {}
    for role in ("leader", "follower", "observer"):
        port = ensemble.http_ports[roles[role]]
        names = re.findall(r'href="/commands/(\w+)"', command(port))
        said[role] = {"commands": {name: "command" for name in names}}
        for word in WORDS:
            text = servers.four_letters(roles[role], word)
            said[role][word] = shape_of_word(word, text)
        for name in names:
            if name not in ("restore", "snapshot", "set_trace_mask"):  # these are no questions
                said[role][f"/commands/{name}"] = shape_of_json(json.loads(command(port, name)))
    for client in clients:
        client.close()
    return said


def differences(zookeeper, pando):
    """(role, what is asked, name, kind in ZooKeeper, kind in Pando)"""
    for role, answers in zookeeper.items():
        for question, theirs in answers.items():
            ours = pando[role].get(question)
            if ours is None:
                continue  # a command that is not there, which the list of them says
            for name in sorted(theirs.keys() | ours.keys()):
                kinds = theirs.get(name), ours.get(name)
                if kinds[0] != kinds[1]:
                    yield role, question, name, *kinds


def explains(explanation, difference):
    _, question, name, theirs, ours = difference
    told_by = "both" if theirs and ours else "ZooKeeper" if theirs else "Pando"
    return (explanation["told by"] == told_by and
            re.fullmatch(explanation["asked"], question) is not None and
            re.fullmatch(explanation["name"], name) is not None)


def started(ensemble):
    try:
        return say(ensemble.start())
    finally:
        ensemble.close()


def main():
    with tempfile.TemporaryDirectory(prefix="pando-operators-") as folder:
        if "--recorded" in sys.argv:
            zookeeper = json.loads(gzip.decompress(RECORDING.read_bytes()))
        else:
            zookeeper = started(
                servers.ZooKeeper(pathlib.Path(folder, "zookeeper"), **ENSEMBLE, admin=True))
        if "--record" in sys.argv:
            RECORDING.write_bytes(gzip.compress(json.dumps(zookeeper).encode(), mtime=0))
            return
        pando = started(
            servers.Pando(pathlib.Path(folder, "pando"), "--zookeeper-words=*", **ENSEMBLE))
    explained = json.loads(EXPLAINED.read_text())
    every = list(differences(zookeeper, pando))
    found = [one for one in every if not any(explains(why, one) for why in explained)]
    for role, question, name, theirs, ours in found:
        print(f"{role}: {question}: {name!r}: ZooKeeper {theirs}, Pando {ours}")
    idle = [why for why in explained if not any(explains(why, one) for one in every)]
    for why in idle:
        print(f"explains nothing any more: {why}")
    asked = sum(map(len, pando.values()))
    print(f"{asked} questions, {len(found)} differences that are not explained")
    sys.exit(1 if found or idle else 0)


if __name__ == "__main__":
    main()
