"""otactl serve: a real nginx for a bench, in one command."""

import http.client
import ssl
import subprocess

from nginx import free_port, wait_for_port
from twin import BUILD, die_with_parent, otactl


def test_device_updates_from_it(tmp_path, twin, shelf):
    releases = tmp_path / "re leases"
    releases.mkdir()
    image = shelf.image("newer", "1.1.0").read_bytes()
    (releases / "bess.bin").write_bytes(image)
    state, port = tmp_path / "state", free_port()
    server = subprocess.Popen(
        [BUILD / "tools" / "otactl" / "otactl", "serve", releases, "--port", str(port), "--state", state],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
    try:
        assert wait_for_port(port, server)
        twin.power_on(sd=False, url=f"https://localhost:{port}/bess.bin", ca=state / "server.pem", auto=1)
        assert twin.ask("start") == "ok"
        twin.wait_for("CONFIRMED")
    finally:
        server.terminate()
        output, _ = server.communicate(timeout=10)
    assert f"url       https://127.0.0.1:{port}/" in output and f"cert_pem  {state}/server.pem" in output
    assert '206 288 B "GET /bess.bin HTTP/1.1" bytes=0-287' in output
    assert (state / "server.key").stat().st_mode & 0o777 == 0o600
    assert not (releases / "server.key").exists()  # nothing secret lands in what is served


def test_serving_the_folder_that_holds_its_state_gives_no_key_away(tmp_path):
    (tmp_path / "bess.bin").write_bytes(b"x" * 100)
    (tmp_path / "release.pem").write_text("a signing key")
    port = free_port()
    server = subprocess.Popen([BUILD / "tools" / "otactl" / "otactl", "serve", ".", "--port", str(port)], cwd=tmp_path,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
    try:
        assert wait_for_port(port, server)
        context = ssl.create_default_context(cafile=tmp_path / ".bess-serve" / "server.pem")

        def status(name):
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
            connection.request("GET", name)
            return connection.getresponse().status
        assert status("/bess.bin") == 200
        for secret in ("/.bess-serve/server.key", "/.bess-serve/", "/release.pem"):
            assert status(secret) == 404, secret
    finally:
        server.terminate()
        server.wait(10)


def test_certificate_is_kept_until_the_names_change(tmp_path):
    state = tmp_path / "state"

    def certificate(*names):
        flags = [flag for name in names for flag in ("--name", name)]
        otactl("serve", tmp_path, "--state", state, "--prepare", *flags)
        return (state / "server.pem").read_text()
    first = certificate("update.bench")
    assert certificate("update.bench") == first
    other = certificate("update.bench", "192.0.2.7")
    assert other != first
    text = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName"], input=other, text=True, check=True,
                          capture_output=True).stdout
    assert "DNS:localhost, IP Address:127.0.0.1, DNS:update.bench, IP Address:192.0.2.7" in text


def test_what_is_missing_or_wrong_is_said(tmp_path):
    def fails(code, text, *arguments):
        result = otactl("serve", *arguments, "--state", tmp_path / "state", check=False)
        assert result.returncode == code and text in result.stderr, result.stderr
    fails(6, "apt install nginx-light", tmp_path, "--nginx", "/nonexistent/nginx")
    assert (tmp_path / "state" / "nginx.conf").exists()
    fails(6, "not a directory", tmp_path / "none")
    fails(2, "--rate", tmp_path, "--rate", "fast", "--prepare")
    fails(2, "--listen", tmp_path, "--listen", "localhost", "--prepare")
    fails(2, "--name", tmp_path, "--name", "a b,DNS:c", "--prepare")
    odd = tmp_path / "a$b"
    odd.mkdir()
    fails(2, "rename it", odd, "--prepare")
