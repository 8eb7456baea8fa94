"""SUIT packages of ours under other makers' libraries, and packages of a second producer under otactl."""

import json
import subprocess
from pathlib import Path

import pytest
import suit_producer
import twin as twin_module

CLASS = "BESS-100K200/CTRL-P4/R1"


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suit")
    for name, kind in (("release", "ecdsa256"), ("second", "rsa3072"), ("other", "ecdsa256")):
        twin_module.otactl("keygen", "--type", kind, folder / f"{name}.pem", folder / f"{name}.pub.pem")
    twin_module.make_image("good", "1.1.0", folder / "app.bin", build_time=1795000000)
    return folder


def pack(shelf, name, *options, keys=("release",)):
    flags = [flag for key in keys for flag in ("--key", shelf / f"{key}.pem")]
    twin_module.otactl("pack", "--app", shelf / "app.bin", "--vendor", "bess.example", "--class", CLASS, *options, *flags,
                       shelf / name)
    return shelf / name


def checked(interop_python, package, *keys):
    result = subprocess.run([interop_python, Path(__file__).parent / "suit_checker.py", package, *keys], text=True,
                            capture_output=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


def test_our_package_holds_for_cbor2_cryptography_and_pycddl(shelf, interop_python):
    package = pack(shelf, "one.suit")
    assert checked(interop_python, package, shelf / "release.pub.pem")["sequence"] == 1795000000


def test_two_signatures_of_two_kinds(shelf, interop_python):
    package = pack(shelf, "two.suit")
    twin_module.otactl("sign", "--add", "--key", shelf / "second.pem", package)
    found = checked(interop_python, package, shelf / "release.pub.pem", shelf / "second.pub.pem")
    assert found["keys that signed"] == 2


def test_description_with_every_condition(shelf, interop_python):
    description = {"vendor": "bess.example", "class": CLASS, "sequence": 1795564800, "version": "1.1.0",
                   "device": "00112233-4455-6677-8899-aabbccddeeff", "use_before": 1893456000,
                   "minimum_energy_mwh": 60000000, "not_before": 1795600000, "time_of_day_utc": 7200, "authorize": 10,
                   "components": [{"id": "app", "file": "app.bin"}]}
    (shelf / "release.json").write_text(json.dumps(description))
    package = shelf / "all.suit"
    twin_module.otactl("pack", "--description", shelf / "release.json", "--key", shelf / "release.pem", package)
    found = checked(interop_python, package, shelf / "release.pub.pem")
    assert found["parameters"] == [1, 2, 3, 4, 14, 24]
    shown = json.loads(twin_module.otactl("inspect", "--json", package).stdout)
    assert "app: at least 60000000 mWh" in shown["conditions"]


def test_same_input_same_bytes(shelf):
    assert pack(shelf, "a.suit").read_bytes() == pack(shelf, "b.suit").read_bytes()


def test_package_of_a_second_producer_is_accepted(shelf):
    image = (shelf / "app.bin").read_bytes()
    path = shelf / "foreign.suit"
    path.write_bytes(suit_producer.package(image, [shelf / "release.pem"], 5, (1, 1, 0)))
    twin_module.otactl("verify", "--key", shelf / "release.pub.pem", "--vendor", "bess.example", "--class", CLASS, path)
    assert twin_module.otactl("verify", "--key", shelf / "other.pub.pem", path, check=False).returncode == 4
    twin_module.otactl("unpack", path, "--into", shelf / "parts")
    assert (shelf / "parts" / "p00.bin").read_bytes() == image


def test_both_producers_make_the_same_manifest(shelf):
    image = (shelf / "app.bin").read_bytes()
    foreign = suit_producer.package(image, [shelf / "release.pem"], 1795000000, (1, 1, 0))
    twin_module.otactl("unpack", pack(shelf, "ours.suit"), "--into", shelf / "ours")
    assert (shelf / "ours" / "manifest.cbor").read_bytes() in foreign


def test_the_checker_can_refuse(shelf, interop_python):
    image = (shelf / "app.bin").read_bytes()
    for name, install in (("command", [99, 15]), ("argument", [3, 16]), ("parameter", [20, {14: "large"}])):
        path = shelf / f"bad-{name}.suit"
        path.write_bytes(suit_producer.package(image, [shelf / "release.pem"], 5, (1, 1, 0), install=install))
        result = subprocess.run([interop_python, Path(__file__).parent / "suit_checker.py", path,
                                 shelf / "release.pub.pem"], text=True, capture_output=True)
        assert result.returncode == 1, name
        assert twin_module.otactl("verify", "--key", shelf / "release.pub.pem", path, check=False).returncode in (3, 5)


# The private key 1 of P-256: nobody's.
KEY_ONE = """-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABoAoGCCqGSM49
AwEHoUQDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/
m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END EC PRIVATE KEY-----
"""


def test_the_example_of_the_documentation(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "package-format.md").read_text()
    printed = bytes.fromhex("".join(text.split("```hex\n")[1].split("```")[0].split()))
    (tmp_path / "one.pem").write_text(KEY_ONE)
    (tmp_path / "image.bin").write_bytes(b"BESS")
    (tmp_path / "plan.json").write_text(json.dumps({
        "vendor": "bess.example", "class": CLASS, "sequence": 1795564800, "version": "1.1.0",
        "components": [{"id": "app", "file": "image.bin"}]}))
    twin_module.otactl("pack", "--description", tmp_path / "plan.json", "--key", tmp_path / "one.pem", tmp_path / "example.suit")
    assert (tmp_path / "example.suit").read_bytes() == printed
