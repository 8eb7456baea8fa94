"""Encrypted payloads: ours under cryptography, and theirs on the twin."""

import os
import subprocess
from pathlib import Path

import pytest
import suit_producer
import twin as twin_module

CLASS = "BESS-100K200/CTRL-P4/R1"


def run(python, *arguments):
    subprocess.run([python, Path(__file__).parent / "suit_encryption.py", *map(str, arguments)], check=True)


@pytest.fixture(params=["shared key", "device key"])
def keys(request, tmp_path):
    """What the sender gets, what the receiver has, how otactl and the twin are told."""
    twin_module.otactl("keygen", tmp_path / "release.pem", tmp_path / "release.pub.pem")
    if request.param == "shared key":
        kek = os.urandom(16).hex()
        (tmp_path / "kek").write_text(kek)
        return kek, kek, ("--kek", tmp_path / "kek"), {"kek": tmp_path / "kek"}
    twin_module.otactl("keygen", tmp_path / "device.pem", tmp_path / "device.pub.pem")
    return (tmp_path / "device.pub.pem", tmp_path / "device.pem", ("--encrypt-to", tmp_path / "device.pub.pem"),
            {"decrypt_key": tmp_path / "device.pem"})


def test_our_payload_opens_under_cryptography(interop_python, tmp_path, keys):
    _, own, flags, _ = keys
    twin_module.make_image("newer", "1.1.0", tmp_path / "app.bin", build_time=1795000000)
    twin_module.otactl("pack", "--app", tmp_path / "app.bin", "--vendor", "bess.example", "--class", CLASS, "--key",
                       tmp_path / "release.pem", *flags, tmp_path / "ours.suit")
    run(interop_python, "decrypt", own, tmp_path / "ours.suit", tmp_path / "plain")
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "app.bin").read_bytes()


def test_payload_of_a_second_sender_installs(interop_python, tmp_path, keys):
    sender, _, _, firmware = keys
    image = twin_module.make_image("newer", "1.1.0", tmp_path / "app.bin").read_bytes()
    run(interop_python, "encrypt", sender, tmp_path / "app.bin", tmp_path / "info", tmp_path / "ciphertext")
    twin = twin_module.Twin(tmp_path, tmp_path / "release.pub.pem")
    twin.sd.mkdir()
    twin.create_flash(twin_module.make_image("good", "1.0.0", tmp_path / "old.bin", tmp_path / "release.pem"))
    (twin.sd / "bess.suit").write_bytes(suit_producer.package(
        image, [tmp_path / "release.pem"], 7, (1, 1, 0), sent=(tmp_path / "ciphertext").read_bytes(),
        info=(tmp_path / "info").read_bytes()))
    try:
        twin.power_on(auto=1, check_ms=500, sd_path="/sdcard/bess*.suit", **firmware)
        twin.wait_for("CONFIRMED")
    finally:
        twin.kill()
