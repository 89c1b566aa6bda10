"""go_suite.py SUITE [--zookeeper] [FLAG…]: a suite of tests in Go, on three servers of Pando, or of
the real ZooKeeper. SUITE is the folder that it lies in; FLAGs go to the test (-test.v, -test.run
…).
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import servers


def test_binary(suite):
    """COMPAT_SUITE, in capitals, names one that is built already."""
    built = os.environ.get(f"COMPAT_{suite.upper()}")
    if built:
        return built
    binary = servers.BUILD / suite
    servers.need("go", "golang")
    subprocess.run(["go", "test", "-c", "-o", str(binary), f"./{suite}"], cwd=servers.HERE,
                   check=True)
    return str(binary)


def main():
    suite = sys.argv[1]
    flags = [flag for flag in sys.argv[2:] if flag != "--zookeeper"]
    with tempfile.TemporaryDirectory(prefix=f"pando-{suite}-") as folder:
        place = pathlib.Path(folder, "servers")
        if "--zookeeper" in sys.argv:
            ensemble = servers.ZooKeeper(place, count=3)
        else:
            ensemble = servers.Pando(place, "--zookeeper-words=*")
        try:
            ensemble.start()
            done = subprocess.run(
                [test_binary(suite), *flags],
                env={**os.environ, "COMPAT_ADDRESSES": ",".join(ensemble.addresses)})
        finally:
            ensemble.close()
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
