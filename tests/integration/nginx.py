"""A real nginx on a port of its own, with everything it writes in the test's folder. Ended by its pid."""

import os
import shutil
import socket
import subprocess
import time

from twin import die_with_parent

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, host="127.0.0.1", timeout=10):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if process.poll() is not None:
            return False
        try:
            socket.create_connection((host, port), 1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


class Nginx:
    """Serves root with TLS. extra goes into the server block, http into the http block."""

    def __init__(self, folder, root, certificate, extra="", http="", address="127.0.0.1", wrapper=(),
                 connections=64):
        self.folder = folder / "nginx"
        self.folder.mkdir(exist_ok=True)
        self.root = root
        self.certificate, self.extra, self.http = certificate, extra, http
        self.address, self.wrapper, self.connections = address, list(wrapper), connections
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self, tries=5):
        for _ in range(tries):
            self.port = free_port()
            self._write()
            self.process = subprocess.Popen(
                [*self.wrapper, NGINX, "-p", self.folder, "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"],
                preexec_fn=die_with_parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if self.wrapper or wait_for_port(self.port, self.process):
                return self
            self.stop()
        raise AssertionError((self.folder / "error.log").read_text())

    def _write(self):
        temp = "\n".join(f"{kind}_temp_path {self.folder}/{kind};"
                         for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""  # the test's folder is root's alone
        (self.folder / "nginx.conf").write_text(f"""{user}
            daemon off; master_process off; pid {self.folder}/pid;
            events {{ worker_connections {self.connections}; }}
            http {{
              {temp}
              types {{ application/octet-stream bin; }}
              log_format seen '$status $body_bytes_sent "$request" "$http_range" "$http_if_none_match" '
                              '$ssl_session_reused $connection_requests';
              access_log {self.folder}/access.log seen;
              {self.http}
              server {{
                listen {self.address}:{self.port} ssl;
                ssl_certificate {self.certificate.certificate};
                ssl_certificate_key {self.certificate.key};
                root {self.root};
                {self.extra}
              }}
            }}""")

    def restart_with(self, extra):
        """Other settings on the same port."""
        self.stop()
        self.extra = extra
        self._write()
        self.process = subprocess.Popen(
            [NGINX, "-p", self.folder, "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"],
            preexec_fn=die_with_parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_for_port(self.port, self.process)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def url(self, name="bess.bin", host="127.0.0.1"):
        return f"https://{host}:{self.port}/{name}"

    def seen(self):
        """The access log's lines."""
        path = self.folder / "access.log"
        return path.read_text().splitlines() if path.exists() else []
