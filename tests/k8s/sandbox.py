"""Pods of one machine: each has a network namespace of its own on a common bridge; its processes
see a read-only root, their volume and the cluster's names, and run as the user that the pod says.

Needs root. Nothing leaves the namespaces, which end with the Sandbox.
"""

import contextlib
import ctypes
import http.client
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import threading

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)

# What a runtime does between clone and exec: mounts, then the user. $1: hosts file, $2: what is
# mounted at /var/lib/pando, $3: what is added to /etc, the rest: the program.
ENTER = """
hosts=$1 volume=$2 etc=$3
shift 3
mount -t overlay -o "lowerdir=$etc:/etc" overlay /etc
mount --bind "$hosts" /etc/hosts
mount -t tmpfs -o mode=755 tmpfs /var/lib
mkdir /var/lib/pando
mount --bind "$volume" /var/lib/pando
mount -o remount,bind,ro /
exec setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs --bounding-set=-all \\
  --inh-caps=-all "$@"
"""


def run(*words):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: {done.stderr}")


class Sandbox:
    """A network, the names in it, and a folder for volumes and logs."""

    def __init__(self, binaries):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pando-k8s-"))
        self.folder.chmod(0o755)
        self.binaries = pathlib.Path(binaries)
        self.hosts = self.folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n")
        self.lock = threading.Lock()
        self.namespaces = []
        self.last_address = 1
        self.bridge = self._namespace("node")
        run("ip", "-n", self.bridge, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", self.bridge, "addr", "add", "10.244.0.1/16", "dev", "br0")
        run("ip", "-n", self.bridge, "link", "set", "br0", "up")

    def close(self):
        for name in reversed(self.namespaces):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _namespace(self, name):
        full = f"pando-k8s-{os.getpid()}-{name}"
        run("ip", "netns", "add", full)
        self.namespaces.append(full)
        run("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def add_host(self):
        """(namespace, address) of a new host on the bridge; no address is given twice."""
        with self.lock:
            self.last_address += 1
            number = self.last_address
        namespace = self._namespace(str(number))
        address = f"10.244.{number // 256}.{number % 256}"
        run("ip", "-n", self.bridge, "link", "add", f"v{number}", "type", "veth", "peer", "name",
            "eth0", "netns", namespace)
        run("ip", "-n", self.bridge, "link", "set", f"v{number}", "master", "br0", "up")
        run("ip", "-n", namespace, "addr", "add", f"{address}/16", "dev", "eth0")
        run("ip", "-n", namespace, "link", "set", "eth0", "up")
        return namespace, address

    def remove_host(self, namespace):
        run("ip", "netns", "del", namespace)
        self.namespaces.remove(namespace)

    def publish(self, names):
        """What names mean from now on, in every pod: [(address, name)]. The file is mounted into
        them, so that it is written in place."""
        text = "".join(f"{address} {name}\n" for address, name in
                       [("127.0.0.1", "localhost"), *names]).encode()
        with open(self.hosts, "r+b", buffering=0) as file:
            file.write(text)
            file.truncate()

    def volume(self, name):
        """An empty folder that pods may write to."""
        folder = self.folder / "volumes" / name
        folder.mkdir(parents=True)
        os.chown(folder, 65532, 65532)
        return folder

    def start(self, namespace, volume, words, environment, files, **popen):
        """The program, as a process whose pid is the program's own. `files`: {path below /etc:
        content} that it finds there, and nobody but its user may read."""
        etc = pathlib.Path(tempfile.mkdtemp(prefix="etc-", dir=self.folder))
        etc.chmod(0o755)
        for path, content in files.items():
            file = etc / pathlib.Path(path).relative_to("/etc")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            os.chown(file, 0, 65532)
            file.chmod(0o440)
        enter = ["ip", "netns", "exec", namespace, "unshare", "--mount", "sh", "-euc", ENTER,
                 "enter", self.hosts, volume, etc]
        path = f"{self.binaries}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        return subprocess.Popen([*map(str, enter), *words], env={"PATH": path, **environment},
                                stdin=subprocess.DEVNULL, **popen)

    def http_status(self, scheme, address, port, path, timeout_s):
        """What the node is answered; 0: nothing. Only for threads that have called enter_node.
        Whose certificate it is shown does not matter to a kubelet."""
        if scheme == "HTTPS":
            unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
            to = http.client.HTTPSConnection(address, port, timeout=timeout_s, context=unchecked)
        else:
            to = http.client.HTTPConnection(address, port, timeout=timeout_s)
        with contextlib.closing(to) as connection:
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0

    def enter_node(self):
        """The calling thread is on the node's network from now on."""
        with open(f"/run/netns/{self.bridge}") as namespace:
            if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
