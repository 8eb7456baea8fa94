"""SUIT packages on the twin: from card and server, cut and continued, by two producers, refused."""

import re
import shutil
import sys
from pathlib import Path

import pytest

import twin as twin_module
from nginx import Nginx

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))
import suit_producer  # noqa: E402

CLASS = "BESS-100K200/CTRL-P4/R1"
ON_CARD = {"sd_path": "/sdcard/bess*.suit"}


@pytest.fixture(scope="session")
def signers(tmp_path_factory):
    """An ECDSA key beside the shelf's RSA key, and both public ones in a file."""
    folder = tmp_path_factory.mktemp("signers")
    twin_module.otactl("keygen", folder / "ec.pem", folder / "ec.pub.pem")
    return folder


@pytest.fixture
def package(shelf, tmp_path):
    def make(variant, version, sequence, *keys, key=None):
        image = shelf.image(variant, version, key)
        path = tmp_path / f"bess-{version}.suit"
        flags = [flag for signer in keys or [shelf.key] for flag in ("--key", signer)]
        twin_module.otactl("pack", "--app", image, "--vendor", "bess.example", "--class", CLASS, "--sequence", sequence,
                           *flags, path)
        return path
    return make


def test_package_from_the_card(twin, package):
    shutil.copy(package("newer", "1.1.0", 7), twin.sd)
    twin.power_on(**ON_CARD)
    assert twin.ask("check") == "ok"
    twin.wait_for("UPDATE_AVAILABLE")
    assert twin.status()["offer"]["version"] == "1.1.0"
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY")
    twin.ask("apply")
    twin.wait_for("CONFIRMED")
    # The same number once more is not newer.
    twin.ask("start")
    twin.wait_for("this version is running already")
    twin.power_off()
    assert twin.inspect()["journal"]["confirmed"]["sequence_number"] == 7


def test_older_number_is_refused_whatever_its_version(twin, package):
    shutil.copy(package("newer", "1.1.0", 7), twin.sd)
    twin.power_on(auto=1, check_ms=500, **ON_CARD)
    twin.wait_for("CONFIRMED")
    shutil.copy(package("good", "2.0.0", 6), twin.sd)
    (twin.sd / "bess-1.1.0.suit").unlink()
    twin.wait_for("older than what was installed before")


def test_package_from_a_server_continues_after_a_power_cut(twin, tmp_path, package, authority, server_certificate):
    www = tmp_path / "www"
    www.mkdir()
    path = package("newer", "1.1.0", 7)
    shutil.copy(path, www / "bess.bin")
    nginx = Nginx(tmp_path, www, server_certificate, "", "").start()
    try:
        options = dict(sd=False, url=nginx.url(), ca=authority.certificate, auto=1, check_ms=500)
        twin.power_on("--cut-at=300:bytes", **options)
        assert twin.wait_end() == 10
        twin.power_on(**options)
        twin.wait_for("CONFIRMED", 30)
        ranges = [int(m[1]) for line in nginx.seen() if (m := re.search(r'"bytes=(\d+)-', line))]
    finally:
        nginx.stop()
    prefix = 8192
    continued = [start for start in ranges if start > prefix]
    assert len(continued) == 1  # behind what flash held; the prefix was read again
    assert sum(start < prefix for start in ranges) >= 4


def test_crashing_firmware_in_a_package_comes_back(twin, package):
    shutil.copy(package("crashing", "1.2.0", 8), twin.sd)
    twin.power_on("--watchdog-ms=800", auto=1, check_ms=700, **ON_CARD)
    twin.wait_for("starting ota_1")
    assert "crashed" in twin.wait_for("REVERTED")
    twin.wait_for("this build was reverted before")
    shutil.copy(package("newer", "1.3.0", 9), twin.sd)
    twin.wait_for("CONFIRMED", 40)


def test_package_of_a_second_producer_installs(twin, shelf, signers):
    image = shelf.image("newer", "1.1.0", None).read_bytes()
    (twin.sd / "bess.suit").write_bytes(suit_producer.package(image, [signers / "ec.pem"], 7, (1, 1, 0)))
    twin.public_key = signers / "ec.pub.pem"
    twin.power_on(auto=1, check_ms=500, **ON_CARD)
    twin.wait_for("CONFIRMED")


def test_two_signatures_where_two_are_wanted(twin, shelf, signers, package, tmp_path):
    both = tmp_path / "both.pub.pem"
    both.write_text(shelf.public.read_text() + (signers / "ec.pub.pem").read_text())
    twin.public_key = both
    path = package("newer", "1.1.0", 7)
    shutil.copy(path, twin.sd)
    twin.power_on(signatures=2, **ON_CARD)
    twin.ask("start")
    twin.wait_for("no trusted key made the manifest's signature, or too few did")
    twin_module.otactl("sign", "--add", "--key", signers / "ec.pem", twin.sd / path.name)
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY")


@pytest.mark.parametrize("fault, words", [
    ("signature", "no trusted key made the manifest's signature"),
    ("vendor", "of another vendor"),
    ("cut", "the envelope ends too early"),
    ("payload", "the image's checksum is wrong"),
    ("trailing", "bytes follow the end"),
])
def test_bad_packages_change_nothing(twin, shelf, package, fault, words):
    path = package("newer", "1.1.0", 7)
    data = bytearray(path.read_bytes())
    options = dict(ON_CARD)
    if fault == "signature":
        path = package("newer", "1.1.0", 7, shelf.other_key)
        data = bytearray(path.read_bytes())
    elif fault == "vendor":
        options["vendor"] = "00112233-4455-6677-8899-aabbccddeeff"
    elif fault == "cut":
        data = data[:200]
    elif fault == "payload":
        data[-5000] ^= 1
    else:
        data += b"\0"
    (twin.sd / "bess.suit").write_bytes(data)
    twin.power_on(**options)
    twin.ask("start")
    assert words in twin.wait_for("FAILED")
    twin.power_off()
    assert twin.inspect()["otadata"][1]["state"] == "blank"
