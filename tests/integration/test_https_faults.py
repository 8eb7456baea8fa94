"""Every fault of connection, certificate and clock has a text of its own, under the right error."""

import os
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from certificates import Authority
from nginx import free_port
from scripted_server import ScriptedServer
from test_https_nginx import SECRETS, secret_file

CONNECTIVITY, SERVER, AUTHENTICATION = 2, 3, 4


def check_fails(twin, text, error):
    assert twin.ask("check") == "ok"
    line = twin.wait_for("FAILED")
    assert text in line, line
    status = twin.status()
    assert status["error"] == error and text in status["detail"]


@pytest.mark.parametrize("text, names, begin, end", [
    ("certificate has expired", "IP:127.0.0.1", "20200101000000Z", "20210101000000Z"),
    ("certificate is not valid yet", "IP:127.0.0.1", "20440101000000Z", "20450101000000Z"),
    ("certificate is for another host", "DNS:other.example", None, None),
])
def test_certificate(twin, shelf, authority, text, names, begin, end):
    certificate = authority.issue("odd", names, begin, end)
    with ScriptedServer(certificate, b"") as server:
        twin.power_on(sd=False, url=server.url(), ca=authority.certificate)
        check_fails(twin, text, AUTHENTICATION)
        assert server.requests == []  # nothing was asked of a server that did not prove itself


def test_unknown_issuer_and_system_store(tmp_path, twin, authority, server_certificate):
    other = Authority(tmp_path, "other")
    with ScriptedServer(server_certificate, b"") as server:
        twin.power_on(sd=False, url=server.url(), ca=other.certificate)
        check_fails(twin, "unknown issuer", AUTHENTICATION)
        twin.kill()
        twin.power_on(sd=False, url=server.url())  # the system's store does not know a bench authority
        check_fails(twin, "unknown issuer", AUTHENTICATION)
        assert server.requests == []


def test_pin(bench, server_certificate):
    bench.power_on(pin="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    check_fails(bench.twin, "not the pinned one", AUTHENTICATION)
    assert bench.server.requests == []
    bench.twin.kill()
    bench.power_on(pin=server_certificate.pin())
    assert bench.update() is None


def test_clock_that_nobody_set(twin, shelf, authority):
    """1970: judged at the firmware's build time; dates that do not fit name the clock."""
    day = 86400
    built = int(time.time()) - 100 * day
    stamp = lambda when: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(when))  # noqa: E731
    twin.create_flash(shelf.image("good", "1.0.0", build_time=built))
    body = shelf.image("newer", "1.1.0").read_bytes()
    later = authority.issue("later", "IP:127.0.0.1", stamp(built + 50 * day), "20450101000000Z")
    with ScriptedServer(later, body) as server:
        twin.power_on(sd=False, url=server.url(), ca=authority.certificate, clock_unset=1)
        check_fails(twin, "clock is not set", CONNECTIVITY)
        twin.kill()
    earlier = authority.issue("earlier", "IP:127.0.0.1", stamp(built - 50 * day), "20450101000000Z")
    with ScriptedServer(earlier, body) as server:
        twin.power_on(sd=False, url=server.url(), ca=authority.certificate, clock_unset=1)
        assert twin.ask("check") == "ok"
        twin.wait_for("UPDATE_AVAILABLE")
        twin.kill()
    # A time that a certificate proved is remembered over a power cycle, and is a floor from then on.
    with ScriptedServer(later, body) as server:
        twin.power_on(sd=False, url=server.url(), ca=authority.certificate)
        assert twin.ask("check") == "ok"
        twin.wait_for("UPDATE_AVAILABLE")
        twin.kill()
        twin.power_on(sd=False, url=server.url(), ca=authority.certificate, clock_unset=1)
        assert twin.ask("check") == "ok"
        twin.wait_for("UPDATE_AVAILABLE")


@pytest.fixture
def system_store(tmp_path, authority):
    """A command under which the system's store of certificates is one with the bench's authority alone."""
    store = tmp_path / "store"
    store.mkdir()
    (store / "bench.pem").write_text(authority.certificate.read_text())
    (store / "ca-certificates.crt").write_text(authority.certificate.read_text())
    subprocess.run(["openssl", "rehash", store], check=True, capture_output=True)
    wrapper = ["unshare", "-m", "sh", "-c", f'mount --bind "{store}" /etc/ssl/certs && exec "$@"', "sh"]
    if not Path("/etc/ssl/certs").is_dir() or subprocess.run([*wrapper, "true"], check=False,
                                                             capture_output=True).returncode != 0:
        pytest.skip("needs the right to make mount namespaces (root, CAP_SYS_ADMIN)")
    return wrapper


def test_given_anchors_replace_the_store_of_the_system(bench, tmp_path, system_store):
    bench.twin.wrapper = system_store
    bench.twin.power_on(sd=False, url=bench.server.url())
    assert bench.twin.ask("check") == "ok"
    bench.twin.wait_for("UPDATE_AVAILABLE")  # the store is used when no anchors are given …
    bench.twin.kill()
    bench.twin.power_on(sd=False, url=bench.server.url(), ca=Authority(tmp_path, "other").certificate)
    check_fails(bench.twin, "unknown issuer", AUTHENTICATION)  # … and not when they are


def test_client_certificate_that_the_server_refuses(bench, tmp_path, authority):
    bench.server.context.verify_mode = ssl.CERT_REQUIRED
    bench.server.context.load_verify_locations(authority.certificate)
    bench.power_on(client=Authority(tmp_path, "stranger").issue("device", "DNS:device").combined())
    check_fails(bench.twin, "does not accept the client certificate", AUTHENTICATION)
    bench.twin.kill()
    bench.power_on(client=authority.issue("device", "DNS:device").combined())
    assert bench.update() is None


def test_tls_older_than_1_2(bench, tmp_path):
    bench.server.context.set_ciphers("DEFAULT@SECLEVEL=0")
    bench.server.context.minimum_version = ssl.TLSVersion.TLSv1
    bench.server.context.maximum_version = ssl.TLSVersion.TLSv1_1
    # An OpenSSL that would speak it: the refusal has to be ours.
    (tmp_path / "openssl.cnf").write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
                                          "MinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n")
    bench.twin.environment = {"OPENSSL_CONF": str(tmp_path / "openssl.cnf")}
    bench.power_on()
    check_fails(bench.twin, "TLS handshake failed", SERVER)


def test_name_port_and_silence(bench):
    bench.power_on("https://nothing.invalid/bess.bin")
    check_fails(bench.twin, "name can't be resolved", CONNECTIVITY)
    bench.twin.kill()
    bench.power_on(f"https://127.0.0.1:{free_port()}/bess.bin")
    check_fails(bench.twin, "can't be reached", CONNECTIVITY)
    bench.twin.kill()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and says nothing
        bench.power_on(f"https://127.0.0.1:{silent.getsockname()[1]}/bess.bin")
        check_fails(bench.twin, "no answer", CONNECTIVITY)


def test_daily_limit(bench):
    bench.power_on(max_bytes=50000)
    line = bench.update()
    assert "allowed in a day" in line
    assert bench.twin.status()["error"] == CONNECTIVITY


def test_malformed_url_is_refused_at_start(twin, authority):
    for url in ("http://127.0.0.1/bess.bin", "https://", "bess.bin"):
        twin.power_on(sd=False, url=url, ca=authority.certificate)
        twin.wait_for("config.https.url")
        assert twin.wait_end() != 0


def test_A13_credentials_stay_with_their_origin(bench, tmp_path, shelf, server_certificate):
    body = bench.server.body
    with ScriptedServer(server_certificate, body) as other:
        def away(exchange):
            exchange.empty(307, ("Location", other.url("/bess.bin")))
            return True
        bench.server.behaviour = away
        bench.power_on(token=secret_file(tmp_path, "token", SECRETS[1]),
                       header=secret_file(tmp_path, "header", f"X-Api-Key: {SECRETS[2]}"))
        assert bench.update() is None
        for request in bench.server.requests:
            assert request.fields["authorization"] == f"Bearer {SECRETS[1]}"
            assert request.fields["x-api-key"] == SECRETS[2]
        assert len(other.requests) == 2
        for request in other.requests:
            assert "authorization" not in request.fields and "x-api-key" not in request.fields


def firmware_pid(twin):
    children = f"/proc/{twin.process.pid}/task/{twin.process.pid}/children"
    return int(open(children).read().split()[0])


def footprint(twin):
    """Resident KiB and open files of the firmware."""
    pid = firmware_pid(twin)
    resident = next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS"))
    return int(resident.split()[1]), len(os.listdir(f"/proc/{pid}/fd"))


def test_A19_ten_failures_in_a_row_leave_nothing_behind(bench):
    failing = {"how": None}

    def fail(exchange):
        if exchange.request.is_check or not failing["how"]:
            return False
        if failing["how"] == "reset":
            exchange.reset()
        exchange.empty(500)
        return True

    bench.server.behaviour = fail
    bench.power_on(time_scale=200)
    after = []
    for attempt in range(10):
        failing["how"] = "reset" if attempt % 2 else "500"
        assert bench.update() is not None
        after.append(footprint(bench.twin))
    # The first try and eight retries each; libcurl repeats one that died on a kept connection.
    assert 10 * 9 <= len(bench.server.downloads()) <= 10 * 12
    failing["how"] = None
    assert bench.update() is None  # without a reboot
    memory, files = zip(*after)
    assert files[-1] <= files[0]
    assert memory[-1] <= memory[1] + 256  # KiB; sanitizers aside, nothing grows


@pytest.mark.parametrize("where", ["connect", "head", "body", "backoff", "pause"])
def test_abort_within_a_second_in_every_wait(bench, where):
    silent = None
    url = None
    if where == "connect":
        silent = socket.create_server(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/bess.bin"

    def behave(exchange):
        if exchange.request.is_check:
            return False
        if where == "backoff":
            exchange.reset()
        if where == "head":
            time.sleep(30)
        status, fields, body = exchange.ordinary()
        exchange.send(exchange.head(status, [*fields, ("Content-Length", len(body))]) + body[:20000])
        time.sleep(30)

    bench.server.behaviour = behave
    bench.power_on(url, time_scale=1)
    assert bench.twin.ask("start") == "ok"
    if where == "connect":
        bench.twin.wait_for("CHECKING")
    else:
        bench.twin.wait_for("DOWNLOADING")
    if where == "pause":
        bench.twin.ask("battery soc=10")
        bench.twin.wait_for("PAUSED")
    time.sleep(0.4)
    begin = time.monotonic()
    assert bench.twin.ask("abort") == "ok"
    bench.twin.wait_for("ABORTED", 2)
    assert time.monotonic() - begin < 1
    # The end of the process does not wait either.
    begin = time.monotonic()
    assert bench.twin.power_off() == 0
    assert time.monotonic() - begin < 2
    if silent:
        silent.close()
