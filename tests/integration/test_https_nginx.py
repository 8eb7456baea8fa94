"""Against a real nginx: what it can, it does itself."""

import base64
import gzip
import os
import re
import shutil

import pytest

from certificates import openssl
from nginx import Nginx

SECRETS = ["pa:ss@w%rd-\u00e4-S3CRET", "t0ken-S3CRET-0123456789", "key-S3CRET-9876543210"]  # test_zz_logs greps for them


@pytest.fixture
def www(tmp_path, shelf):
    root = tmp_path / "www"
    root.mkdir()
    shutil.copy(shelf.image("newer", "1.1.0"), root / "bess.bin")
    return root


@pytest.fixture
def serve(tmp_path, www, server_certificate):
    """serve(extra): an nginx that serves www."""
    running = []

    def start(extra="", http="", certificate=server_certificate):
        running.append(Nginx(tmp_path, www, certificate, extra, http).start())
        return running[-1]
    yield start
    for nginx in running:
        nginx.stop()


def secret_file(folder, name, text):
    path = folder / name
    path.write_text(text + "\n", encoding="utf-8")
    return path


def power_on(twin, authority, url, **options):
    twin.power_on(sd=False, url=url, ca=authority.certificate, **options)


def outcome(twin, command="start"):
    """The line that a command ends with."""
    assert twin.ask(command) == "ok"
    while True:
        line = twin.wait_for("ota_manager: ")
        if re.search("READY_TO_APPLY|FAILED|IDLE", line):
            return line


def test_whole_update_over_one_connection_and_then_nothing_new(twin, authority, www, serve):
    nginx = serve('add_header X-Release-Notes "Fixes the fan";')
    power_on(twin, authority, nginx.url(), auto=1, check_ms=700)
    twin.wait_for("CONFIRMED", 30)
    twin.wait_for("unchanged on the server")
    twin.wait_for("unchanged on the server")
    twin.power_off()
    check, download, *later = nginx.seen()
    assert '206 288 "GET /bess.bin HTTP/1.1" "bytes=0-287"' in check
    size = (www / "bess.bin").stat().st_size
    assert f'206 {size} "GET /bess.bin HTTP/1.1" "bytes=0-"' in download and download.endswith(" 2")  # kept alive
    assert len(later) >= 2 and all(line.startswith("304 0 ") for line in later)
    assert later[1].endswith(" 2")  # the second look came on the connection of the first
    assert twin.inspect()["slots"]["ota_1"]["version"] == "1.1.0"


def test_notes_and_size_are_known_before_the_download(twin, authority, www, serve):
    nginx = serve('add_header X-Release-Notes "Fixes the fan";')
    power_on(twin, authority, nginx.url())
    assert twin.ask("check") == "ok"
    twin.wait_for("UPDATE_AVAILABLE")
    offer = twin.status()["offer"]
    assert offer == {"version": "1.1.0", "size": (www / "bess.bin").stat().st_size, "notes": "Fixes the fan"}
    assert len(nginx.seen()) == 1


def test_A11_basic_auth(tmp_path, twin, authority, serve):
    password = SECRETS[0]
    users = tmp_path / "users"
    hashed = openssl("passwd", "-apr1", "-stdin", data=password.encode()).decode().strip()
    users.write_text(f"bess_device:{hashed}\n")
    nginx = serve(f"auth_basic bench; auth_basic_user_file {users};")
    power_on(twin, authority, nginx.url(), user=secret_file(tmp_path, "user", f"bess_device:{password}"))
    assert "READY_TO_APPLY" in outcome(twin)
    assert all(not line.startswith("401") for line in nginx.seen())  # sent before it was asked for
    twin.kill()

    in_url = f"https://bess_device:pa%3Ass%40w%25rd-%C3%A4-S3CRET@127.0.0.1:{nginx.port}/bess.bin"
    power_on(twin, authority, in_url)
    assert "READY_TO_APPLY" in outcome(twin)
    twin.kill()

    before = len(nginx.seen())
    power_on(twin, authority, nginx.url(), user=secret_file(tmp_path, "user", "bess_device:wrong-S3CRET"))
    line = outcome(twin)
    assert "other credentials (401)" in line
    assert twin.status()["error"] == 4  # OTA_ERR_AUTHENTICATION
    assert len(nginx.seen()) == before + 1  # no storm that locks the account


@pytest.mark.parametrize("argument, secret, field", [
    ("token", SECRETS[1], f"Bearer {SECRETS[1]}"), ("header", f"X-Api-Key: {SECRETS[2]}", SECRETS[2])])
def test_token_and_custom_header(tmp_path, twin, authority, serve, argument, secret, field):
    variable = "$http_authorization" if argument == "token" else "$http_x_api_key"
    nginx = serve(f'if ({variable} != "{field}") {{ return 403; }}')
    power_on(twin, authority, nginx.url(), **{argument: secret_file(tmp_path, "secret", secret)})
    assert "READY_TO_APPLY" in outcome(twin)
    twin.kill()
    power_on(twin, authority, nginx.url())
    assert "forbids this download (403)" in outcome(twin)
    assert twin.status()["error"] == 4


def test_client_certificate(tmp_path, twin, authority, serve):
    device = authority.issue("device", "DNS:device")
    nginx = serve(f"ssl_client_certificate {authority.certificate}; ssl_verify_client on;")
    power_on(twin, authority, nginx.url(), client=device.combined())
    assert "READY_TO_APPLY" in outcome(twin)
    twin.kill()
    power_on(twin, authority, nginx.url())
    assert "unexpected status" in outcome(twin)  # nginx answers 400


def test_compression_of_the_server_is_not_used(twin, authority, serve):
    nginx = serve("gzip on; gzip_types *; gzip_min_length 1;")
    power_on(twin, authority, nginx.url())
    assert "READY_TO_APPLY" in outcome(twin)


def test_precompressed_file_is_named(twin, authority, www, serve):
    (www / "bess.bin").write_bytes(gzip.compress((www / "bess.bin").read_bytes()))
    nginx = serve("add_header Content-Encoding gzip;")
    power_on(twin, authority, nginx.url())
    assert "switch compression off" in outcome(twin)


def test_A22_server_without_HEAD(twin, authority, serve):
    nginx = serve('if ($request_method = HEAD) { return 405; }')
    power_on(twin, authority, nginx.url())
    assert "READY_TO_APPLY" in outcome(twin)
    assert not any("HEAD" in line for line in nginx.seen())


def test_A14_redirects(twin, authority, serve):
    signed = "/final%2Fbess.bin?X-Amz-Signature=S3CRET" + "%2F%3D+&" * 240
    nginx = serve(f"""
        location = /bess.bin {{ return 301 /a; }}
        location = /a {{ return 302 b/; }}
        location = /a/b/ {{ return 307 "{signed}"; }}
        location = /b/ {{ return 307 "{signed}"; }}
        location / {{ try_files /bess.bin =404; }}""")
    power_on(twin, authority, nginx.url())
    # Only the scripted names redirect; the last hop is another name of the same file.
    twin.had_credentials = True
    assert "READY_TO_APPLY" in outcome(twin)
    twin.kill()
    assert any(f'"GET {signed} HTTP/1.1"' in seen for seen in nginx.seen()), nginx.seen()[:4]


def test_update_that_changes_on_the_server(twin, authority, www, shelf, serve):
    nginx = serve("limit_rate 40k;")
    power_on(twin, authority, nginx.url(), auto=1, check_ms=60000, time_scale=30)
    twin.wait_for_progress(30)
    replacement = www / "new.bin"
    shutil.copy(shelf.image("newer", "1.2.0"), replacement)
    os.replace(replacement, www / "bess.bin")
    nginx.restart_with("")
    twin.wait_for("the file changed")
    twin.wait_for("CONFIRMED", 30)
    assert twin.inspect()["slots"]["ota_1"]["version"] == "1.2.0"


def test_server_restarts_in_mid_download(twin, authority, serve):
    nginx = serve("limit_rate 40k;")
    power_on(twin, authority, nginx.url(), auto=1, time_scale=20)
    assert twin.ask("start") == "ok"
    twin.wait_for_progress(30)
    nginx.restart_with("")
    twin.wait_for("CONFIRMED", 30)
    offsets = [int(m[1]) for line in nginx.seen() if (m := re.search(r'"bytes=(\d+)-"', line))]
    assert offsets[-1] > 0  # that of the first download went down with its server


def test_power_cut_in_mid_download_resumes_by_range(twin, authority, serve):
    nginx = serve()
    power_on_options = dict(auto=1, check_ms=500)
    twin.power_on("--cut-at=300:bytes", sd=False, url=nginx.url(), ca=authority.certificate, **power_on_options)
    assert twin.wait_end() == 10
    power_on(twin, authority, nginx.url(), **power_on_options)
    twin.wait_for("CONFIRMED", 30)
    resumed = [int(m[1]) for line in nginx.seen() if (m := re.search(r'"bytes=([1-9]\d*)-"', line))]
    assert len(resumed) == 1 and resumed[0] % 4096 == 0


def test_basic_token_is_what_curl_would_send():
    # The unit test's expectation, from another implementation.
    assert base64.b64encode("bess_device:pa:ss@w%rd\u00e4".encode()).decode() == "YmVzc19kZXZpY2U6cGE6c3NAdyVyZMOk"
