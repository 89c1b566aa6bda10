"""reconnect.py [--zookeeper] [FLAG…]: the rules of watches over a lost connection, on three servers
of Pando, or of the real ZooKeeper. FLAGs go to the test (-test.v, -test.run …).
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import servers


def test_binary():
    """COMPAT_RECONNECT names one that is built already."""
    if "COMPAT_RECONNECT" in os.environ:
        return os.environ["COMPAT_RECONNECT"]
    binary = servers.BUILD / "reconnect"
    servers.need("go", "golang")
    subprocess.run(["go", "test", "-c", "-o", str(binary), "./reconnect"], cwd=servers.HERE,
                   check=True)
    return str(binary)


def main():
    flags = [flag for flag in sys.argv[1:] if flag != "--zookeeper"]
    with tempfile.TemporaryDirectory(prefix="pando-reconnect-") as folder:
        kind = servers.ZooKeeper if "--zookeeper" in sys.argv else servers.Pando
        ensemble = kind(pathlib.Path(folder, "servers"), count=3)
        try:
            ensemble.start()
            done = subprocess.run(
                [test_binary(), *flags],
                env={**os.environ, "COMPAT_ADDRESSES": ",".join(ensemble.addresses)})
        finally:
            ensemble.close()
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
