"""differential.py [--self|--record|--recorded] [FLAG…]: plays random programs on a real ZooKeeper
and on three servers of Pando. FLAGs go to the fuzzer (-help lists them).

--self compares ZooKeeper with another ZooKeeper: whatever that shows is the fuzzer's own fault.
--record writes down what ZooKeeper says to a few programs, and --recorded compares Pando with that:
CI has no ZooKeeper.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import servers

# Pando's own limits, so that what is compared is not their values.
TIMEOUTS_MS = (1_000, 600_000)

RECORDING = servers.HERE / "testdata" / "zookeeper-3.9.5.json.gz"


def fuzzer():
    """COMPAT_DIFFERENTIAL names one that is built already."""
    if "COMPAT_DIFFERENTIAL" in os.environ:
        return os.environ["COMPAT_DIFFERENTIAL"]
    binary = servers.BUILD / "differential"
    servers.need("go", "golang")
    subprocess.run(["go", "build", "-o", str(binary), "./differential"], cwd=servers.HERE,
                   check=True)
    return str(binary)


def main():
    mode = next(iter({"--self", "--record", "--recorded"} & set(sys.argv)), None)
    flags = [flag for flag in sys.argv[1:] if flag != mode]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pando-differential-"))
    started = {}
    if mode != "--recorded":
        started["zookeeper"] = servers.ZooKeeper(folder / "zookeeper", timeouts_ms=TIMEOUTS_MS)
    if mode == "--self":
        started["pando"] = servers.ZooKeeper(folder / "other", timeouts_ms=TIMEOUTS_MS)
    elif mode != "--record":
        started["pando"] = servers.Pando(folder / "pando")
    if mode == "--record":
        flags = [f"-record={RECORDING}", "-ops=5000", *flags]
    elif mode == "--recorded":
        flags = [f"-recording={RECORDING}", *flags]
    try:
        for name, server in started.items():
            server.start()
            flags.append(f"-{name}={','.join(server.addresses)}")
        explained = servers.HERE / "explained.json"
        done = subprocess.run([fuzzer(), f"-explained={explained}", *flags], check=False)
    finally:
        for server in started.values():
            server.close()
    if done.returncode == 0:
        shutil.rmtree(folder)
    else:
        print(f"logs and data: {folder}")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
