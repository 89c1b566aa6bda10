"""kazoo_tls.py: kazoo over TLS at --listen-zookeeper-tls, with certificates on both sides: what it
does with them, whom it is taken for, and who is refused. kazoo's own test of TLS creates a node.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import servers
from kazoo_suite import KAZOO, VENV
from servers import harness

from certs import Certs


def main():
    subprocess.run([str(KAZOO / "install")], check=True)
    with tempfile.TemporaryDirectory(prefix="pando-kazoo-tls-") as name:
        folder = pathlib.Path(name)
        certs = Certs(folder / "certs", clients=("alice", "bob"))
        shutil.copy(Certs(folder / "other").path("ca.crt"), certs.path("other.crt"))
        port = harness.free_ports(1)[0]
        server = harness.Server(folder, *certs.server_flags(),
                                f"--listen-zookeeper-tls=127.0.0.1:{port}")
        try:
            server.spawn()
            harness.wait_until(lambda: "Mode:" in servers.four_letters(
                f"127.0.0.1:{server.ports[3]}", "srvr"), harness.START_S, "serving")
            done = subprocess.run([str(VENV.absolute() / "bin" / "python"),
                                   str(KAZOO / "over_tls.py"), str(port), str(certs.folder)],
                                  timeout=120, check=False)
        finally:
            server.close()
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
