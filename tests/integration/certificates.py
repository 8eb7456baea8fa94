"""Certificates for test servers, made with Debian's openssl: one authority, and server certificates with faults
of every kind."""

import base64
import hashlib
import subprocess


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, check=True, capture_output=True).stdout


def make_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    return path


class Certificate:
    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    def combined(self):
        """One file with certificate and key, as the twin takes a client's."""
        path = self.certificate.with_suffix(".both.pem")
        path.write_text(self.certificate.read_text() + self.key.read_text())
        return path

    def pin(self):
        """base64 of the SHA-256 of the SubjectPublicKeyInfo."""
        public = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")
        return base64.b64encode(hashlib.sha256(public).digest()).decode()


class Authority:
    def __init__(self, folder, name="bench"):
        self.folder = folder
        self.name = name
        self.key = make_key(folder / f"{name}-ca.key")
        self.certificate = folder / f"{name}-ca.pem"
        request = openssl("req", "-new", "-key", self.key, "-subj", f"/CN={name} authority")
        self._sign(request, self.certificate, "basicConstraints = critical, CA:TRUE", "20200101000000Z",
                   "20460101000000Z", "-selfsign")

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", begin=None, end=None):
        """A certificate for names; begin and end as YYYYMMDDHHMMSSZ for one that is not valid now."""
        key = make_key(self.folder / f"{name}.key")
        request = openssl("req", "-new", "-key", key, "-subj", f"/CN={name}")
        certificate = self.folder / f"{name}.pem"
        self._sign(request, certificate, f"basicConstraints = CA:FALSE\nsubjectAltName = {names}",
                   begin or "20200101000000Z", end or "20450101000000Z", "-cert", self.certificate)
        return Certificate(certificate, key)

    def sign_request(self, request):
        """The certificate, as PEM, for a request that somebody else has made; its own signature is checked."""
        out = self.folder / "requested.pem"
        self._sign(request.encode(), out, "basicConstraints = CA:FALSE", "20200101000000Z", "20450101000000Z", "-cert",
                   self.certificate)
        return out.read_text()

    def _sign(self, request, out, extensions, begin, end, *signer):
        (self.folder / "index.txt").write_text("")
        (self.folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca = d\n[d]\ndatabase = {self.folder}/index.txt\nnew_certs_dir = {self.folder}\n"
            "default_md = sha256\npolicy = p\nunique_subject = no\nrand_serial = yes\n"
            f"x509_extensions = x\n[p]\ncommonName = supplied\n[x]\n{extensions}\n")
        openssl("ca", "-batch", "-notext", "-config", self.folder / "ca.cnf", "-keyfile", self.key, *signer,
                "-startdate", begin, "-enddate", end, "-in", "/dev/stdin", "-out", out, data=request)
