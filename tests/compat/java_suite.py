"""java_suite.py [--zookeeper]: the Java client's zkCli, and Curator's recipes, on three servers of
Pando, or of the real ZooKeeper, with one killed in the middle of each.
"""

import pathlib
import socketserver
import subprocess
import sys
import tempfile
import threading

import servers
import zkcli


class Control(socketserver.StreamRequestHandler):
    """One line from a test: `kill ADDRESS`, or `start` for whatever was killed."""

    def handle(self):
        words = self.rfile.readline().decode().split()
        try:
            if words[0] == "kill":
                self.server.ensemble.kill(words[1])
            else:
                self.server.ensemble.start()
            self.wfile.write(b"done\n")
        except Exception as error:  # the test is to say it
            self.wfile.write(f"{error!r}\n".encode())


def recipes(ensemble):
    """Curator's, in Maven. Returns whether they pass."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Control) as control:
        control.ensemble = ensemble
        threading.Thread(target=control.serve_forever, daemon=True).start()
        done = subprocess.run(
            ["mvn", "-q", "-B", "-f", str(servers.HERE / "java" / "pom.xml"), "test",
             f"-DbuildDirectory={servers.BUILD / 'java'}",
             f"-Dservers={','.join(ensemble.addresses)}",
             f"-Dcontrol={control.server_address[1]}"], check=False)
        control.shutdown()
    return done.returncode == 0


def main():
    servers.need("mvn", "maven")
    servers.need("javac", "default-jdk-headless")
    kind = servers.ZooKeeper if "--zookeeper" in sys.argv else servers.Pando
    with tempfile.TemporaryDirectory(prefix="pando-java-") as folder:
        ensemble = kind(pathlib.Path(folder, "servers"), count=3)
        try:
            ensemble.start()
            passed = [zkcli.passes(ensemble), recipes(ensemble)]
        finally:
            ensemble.close()
    print(f"zkCli: {passed[0]}, recipes: {passed[1]}")
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
