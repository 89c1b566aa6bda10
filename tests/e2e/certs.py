"""Certificates for the tests: of `pando certs`, and of openssl for those that must be bad."""

import pathlib
import ssl
import subprocess

import harness


def run(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True, timeout=60)


class Certs:
    """A folder of `pando certs`: one CA, one server, and the clients that are named."""

    def __init__(self, folder, *hosts, clients=("client",), days=30):
        self.folder = pathlib.Path(folder)
        named = [word for client in clients for word in ("--client", client)]
        run(harness.PANDO, "certs", self.folder, *hosts, *named, "--days", days)

    def path(self, name):
        return str(self.folder / name)

    def server_flags(self, name="server", mutual=True):
        flags = [f"--tls-cert={self.path(name)}.crt", f"--tls-key={self.path(name)}.key"]
        return flags + ([f"--tls-client-ca={self.path('ca.crt')}"] if mutual else [])

    def peer_flags(self, name="server"):
        return [f"--peer-tls-cert={self.path(name)}.crt", f"--peer-tls-key={self.path(name)}.key",
                f"--peer-tls-ca={self.path('ca.crt')}"]

    def client_flags(self, client="client"):
        own = ["--tls-cert", self.path(f"{client}.crt"), "--tls-key", self.path(f"{client}.key")]
        return ["--tls-ca", self.path("ca.crt"), *(own if client else [])]

    def https(self, client=None):
        context = ssl.create_default_context(cafile=self.path("ca.crt"))
        if client:
            context.load_cert_chain(self.path(f"{client}.crt"), self.path(f"{client}.key"))
        return context

    def sign(self, name, days, *hosts, usage="serverAuth,clientAuth"):
        """A certificate as no try-out wants one; days may be negative."""
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        names = ",".join(("IP:" if host[0].isdigit() else "DNS:") + host for host in hosts)
        extensions.write_text(f"extendedKeyUsage={usage}\n" +
                              (f"subjectAltName={names}\n" if names else ""))
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", self.path(f"{name}.key"), "-out", request, "-subj", f"/CN={name}")
        run("openssl", "x509", "-req", "-in", request, "-CA", self.path("ca.crt"), "-CAkey",
            self.path("ca.key"), "-days", days, "-extfile", extensions, "-out",
            self.path(f"{name}.crt"))
