"""differential.py [--self] [FLAG…]: plays random programs on a real ZooKeeper and on three servers
of Pando. FLAGs go to the fuzzer (-help lists them).

--self compares ZooKeeper with another ZooKeeper: whatever that shows is the fuzzer's own fault.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import servers

# Pando's own limits, so that what is compared is not their values.
TIMEOUTS_MS = (1_000, 600_000)


def fuzzer():
    binary = servers.BUILD / "differential"
    servers.need("go", "golang")
    subprocess.run(["go", "build", "-o", str(binary), "./differential"], cwd=servers.HERE,
                   check=True)
    return binary


def main():
    flags = sys.argv[1:]
    with_itself = "--self" in flags
    flags = [flag for flag in flags if flag != "--self"]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pando-differential-"))
    zookeeper = servers.ZooKeeper(folder / "zookeeper", timeouts_ms=TIMEOUTS_MS)
    other = (servers.ZooKeeper(folder / "other", timeouts_ms=TIMEOUTS_MS) if with_itself
             else servers.Pando(folder / "pando"))
    try:
        zookeeper.start()
        other.start()
        done = subprocess.run([
            str(fuzzer()), "-zookeeper", ",".join(zookeeper.addresses),
            "-pando", ",".join(other.addresses),
            "-explained", str(servers.HERE / "explained.json"), *flags])
    finally:
        zookeeper.close()
        other.close()
    if done.returncode == 0:
        shutil.rmtree(folder)
    else:
        print(f"logs and data: {folder}")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
