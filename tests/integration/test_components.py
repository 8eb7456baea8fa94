"""Packages about more than one application image: configuration, encrypted payloads, keys in a token."""

import hashlib
import json
import os
import subprocess

import pytest

import twin as twin_module

CLASS = "BESS-100K200/CTRL-P4/R1"
ON_CARD = {"sd_path": "/sdcard/bess*.suit"}


@pytest.fixture
def pack(shelf, twin):
    """Packs an application, and what else is described, onto the card."""
    def make(version, sequence, *flags, variant="newer", key=None, **parts):
        image = shelf.image(variant, version, None)
        description = {"vendor": "bess.example", "class": CLASS, "sequence": sequence, "version": version,
                       "components": [{"id": "app", "file": str(image)}]}
        for name, content in parts.items():
            (twin.folder / name).write_bytes(content)
            description["components"].append({"id": name, "file": str(twin.folder / name)})
        (twin.folder / "release.json").write_text(json.dumps(description))
        path = twin.sd / f"bess-{version}.suit"
        twin_module.otactl("pack", "--description", twin.folder / "release.json", "--key", key or shelf.key, *flags, path)
        return path
    return make


def configuration(twin):
    return json.loads(twin.ask("configuration"))


def test_configuration_comes_and_goes_with_its_application(twin, pack):
    first = b'{"site": "north"}' * 20
    pack("1.1.0", 7, cfg=first)
    twin.power_on(auto=1, check_ms=500, **ON_CARD)
    assert twin.ask("configuration") == "error 0x105"  # ESP_ERR_NOT_FOUND
    twin.wait_for("CONFIRMED")
    found = configuration(twin)
    assert found["sha256"] == hashlib.sha256(first).hexdigest() and found["size"] == len(first)
    assert found["start"] == "{.site.: .north."
    assert json.loads(twin.ask("components")) == [["app", 0, "written", ""], ["cfg", 0, "written", ""]]
    pack("1.2.0", 8, variant="failing", cfg=b"another one")
    assert "a health probe failed" in twin.wait_for("REVERTED", 30)
    assert configuration(twin) == found
    twin.power_off()
    assert twin.inspect()["journal"]["pairings"][0]["size"] == len(first)


def test_components_are_named_in_log_and_result(twin, pack):
    path = pack("1.1.0", 7, cfg=b"x" * 100)
    twin.power_on(**ON_CARD)
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY")
    twin.ask("apply")
    assert twin.wait_for("COMPONENTS").endswith("COMPONENTS: app written, cfg written")
    twin.wait_for("CONFIRMED")
    result = json.loads((twin.sd / f"{path.name}.result.json").read_text())
    assert result["components"] == {"app": "written", "cfg": "written"}


@pytest.mark.parametrize("kind", ["shared key", "device key"])
def test_encrypted_package_installs_on_the_device_it_is_for(twin, pack, tmp_path, kind):
    twin_module.otactl("keygen", tmp_path / "device.pem", tmp_path / "device.pub.pem")
    twin_module.otactl("keygen", tmp_path / "stranger.pem", tmp_path / "stranger.pub.pem")
    (tmp_path / "kek").write_text(os.urandom(16).hex() + "\n")
    (tmp_path / "other-kek").write_text(os.urandom(16).hex() + "\n")
    if kind == "shared key":
        flags, own, other = ("--kek", tmp_path / "kek"), {"kek": tmp_path / "kek"}, {"kek": tmp_path / "other-kek"}
    else:
        flags = ("--encrypt-to", tmp_path / "stranger.pub.pem", "--encrypt-to", tmp_path / "device.pub.pem")
        own, other = {"decrypt_key": tmp_path / "device.pem"}, {}
    package = pack("1.1.0", 7, *flags, cfg=b"secret settings")
    assert b"secret settings" not in package.read_bytes()
    twin.power_on(**ON_CARD, **other)
    twin.ask("start")
    assert "no key of this device opens the payload" in twin.wait_for("FAILED")
    twin.power_off()
    twin.power_on(**ON_CARD, **own)
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY")
    twin.ask("apply")
    twin.wait_for("CONFIRMED")
    assert configuration(twin)["start"] == "secret settings"


def test_encrypted_package_continues_after_a_power_cut(twin, pack, tmp_path):
    twin_module.otactl("keygen", tmp_path / "device.pem", tmp_path / "device.pub.pem")
    pack("1.1.0", 7, "--encrypt-to", tmp_path / "device.pub.pem")
    options = dict(auto=1, check_ms=500, decrypt_key=tmp_path / "device.pem", **ON_CARD)
    twin.power_on("--cut-at=300:bytes", **options)
    assert twin.wait_end() == 10
    twin.power_on(**options)
    assert ", 0 there before" not in twin.wait_for("REPORT: 1.1.0 from SD card restarted", 30)
    twin.wait_for("CONFIRMED")


def test_package_for_boards_needs_boards(twin, shelf, tmp_path):
    (tmp_path / "module.bin").write_bytes(b"\xe9" * 5000)
    (tmp_path / "release.json").write_text(json.dumps({
        "vendor": "bess.example", "class": CLASS, "sequence": 7, "version": "2.0.0",
        "boards": {"class": "BESS-MODULE/R1", "file": "module.bin", "numbers": [1, 2, 12]}}))
    package = twin.sd / "bess-boards.suit"
    twin_module.otactl("pack", "--description", tmp_path / "release.json", "--key", shelf.key, package)
    shown = json.loads(twin_module.otactl("inspect", "--json", package).stdout)
    assert shown["components"] == ["stage", "bms/01", "bms/02", "bms/12"]
    assert shown["consistent"] == "yes"
    twin_module.otactl("verify", "--key", shelf.public, package)
    twin.power_on(**ON_CARD)
    twin.ask("start")
    assert "a component that this device does not have" in twin.wait_for("FAILED")


@pytest.fixture
def token(tmp_path, monkeypatch):
    """A SoftHSM token with an imported key of either kind; token(kind) gives its URI and the public key's file."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))

    def softhsm(*arguments):
        subprocess.run(["softhsm2-util", *map(str, arguments)], check=True, capture_output=True)

    softhsm("--init-token", "--free", "--label", "release", "--pin", "4711", "--so-pin", "4712")
    (tmp_path / "pin").write_text("4711\n")

    def make(kind, number):
        key, public = tmp_path / f"{kind}.pem", tmp_path / f"{kind}.pub.pem"
        twin_module.otactl("keygen", "--type", kind, key, public)
        subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", key, "-out", tmp_path / "key.p8"], check=True)
        softhsm("--import", tmp_path / "key.p8", "--token", "release", "--label", kind, "--id", number, "--pin", "4711")
        module = "/usr/lib/softhsm/libsofthsm2.so"
        return f"pkcs11:token=release;object={kind}?module-path={module}&pin-source={tmp_path / 'pin'}", public
    return make


@pytest.mark.parametrize("kind", ["ecdsa256", "rsa3072"])
def test_release_key_stays_in_its_token(twin, pack, shelf, token, tmp_path, kind):
    uri, public = token(kind, "01")
    package = pack("1.1.0", 7, key=uri)
    twin_module.otactl("verify", "--key", public, package)
    image = shelf.image("newer", "1.2.0", None)
    signed = tmp_path / "signed.bin"
    twin_module.otactl("image", "sign", "--key", uri, "-o", signed, image)
    twin_module.otactl("verify", "--key", public, signed)
    twin.public_key = public
    twin.power_on(auto=1, check_ms=500, **ON_CARD)
    twin.wait_for("CONFIRMED")


def test_pin_goes_to_one_token_and_to_no_log(token, shelf, tmp_path):
    uri, _ = token("ecdsa256", "01")
    with_pin = uri.split("&pin-source")[0] + "&pin-value=4711"
    image = shelf.image("newer", "1.1.0", None)
    said = twin_module.otactl("image", "sign", "--key", with_pin, "-o", tmp_path / "signed.bin", image)
    assert "4711" not in said.stdout + said.stderr
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "second", "--pin", "1111", "--so-pin", "1112"],
                   check=True, capture_output=True)
    anywhere = with_pin.replace("token=release;", "")
    with pytest.raises(twin_module.TwinError, match="several tokens fit"):
        twin_module.otactl("image", "sign", "--key", anywhere, "-o", tmp_path / "signed.bin", image)


def test_public_half_has_to_belong_to_the_key(token, shelf, tmp_path):
    first, _ = token("ecdsa256", "01")
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", tmp_path / "b.pem"], check=True)
    subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", tmp_path / "b.pem", "-out", tmp_path / "b.p8"], check=True)
    subprocess.run(["softhsm2-util", "--import", tmp_path / "b.p8", "--token", "release", "--label", "b", "--id", "01",
                    "--pin", "4711", "--force"], check=True, capture_output=True)
    with pytest.raises(twin_module.TwinError, match="several public keys"):
        twin_module.otactl("image", "sign", "--key", first.replace("object=ecdsa256", "object=b"), "-o",
                           tmp_path / "signed.bin", shelf.image("newer", "1.1.0", None))


DESCRIPTION = {"vendor": "bess.example", "class": CLASS, "sequence": 7, "version": "1.1.0"}


@pytest.mark.parametrize("change, words", [
    ({"use_befor": 1893456000}, "use_befor is not known"),
    ({"sequence": -5}, "sequence has to be a whole number"),
    ({"sequence": 1.5}, "sequence has to be a whole number"),
    ({"time_of_day_utc": 90000}, "time_of_day_utc has to be"),
    ({"vendor": 5}, "vendor has to be a text"),
    ({"version": "1.0.0-rc.99999999999999999999"}, "too long"),
    ({"components": [{"id": "app", "file": "app.bin", "url": "https://x/y"}]}, "components.url is not known"),
    ({"components": [{"id": "app", "file": "app.bin", "uri": "http://x/y"}]}, "https://host/path"),
    ({"components": [{"id": "bios", "file": "app.bin"}]}, "app, cfg, stage and settings are known"),
    ({"components": [{"id": "cfg", "file": "app.bin"}]}, "neither an application nor an image for a module board"),
    ({"components": [{"id": "app", "file": "app.bin"}] * 2}, "named twice"),
    ({"components": [{"id": "app", "file": "empty"}]}, "the file is empty"),
    ({"components": [], "boards": {"class": "B", "file": "app.bin", "numbers": [300]}}, "1 to 12"),
    ({"components": [], "boards": {"class": "B", "file": "app.bin", "numbers": []}}, "a list of numbers"),
])
def test_descriptions_are_taken_at_their_word(shelf, tmp_path, change, words):
    (tmp_path / "app.bin").write_bytes(b"\xe9" * 100)
    (tmp_path / "empty").write_bytes(b"")
    description = {**DESCRIPTION, "components": [{"id": "app", "file": "app.bin"}], **change}
    (tmp_path / "release.json").write_text(json.dumps(description))
    result = twin_module.otactl("pack", "--description", tmp_path / "release.json", "--key", shelf.key,
                                tmp_path / "out.suit", check=False)
    assert result.returncode in (2, 3) and words in result.stderr
    assert not (tmp_path / "out.suit").exists()


def test_what_was_not_looked_at_is_said(shelf, tmp_path):
    (tmp_path / "kek").write_text("00" * 16)
    image = shelf.image("newer", "1.1.0", None)
    description = {**DESCRIPTION, "components": [{"id": "app", "file": str(image), "uri": "https://update.example/app"}]}
    (tmp_path / "release.json").write_text(json.dumps(description))
    said = twin_module.otactl("pack", "--description", tmp_path / "release.json", "--key", shelf.key, "--kek",
                              tmp_path / "kek", tmp_path / "out.suit")
    # What has to lie at the URL is the encrypted image, and is written beside the package.
    assert "to lie at https://update.example/app" in said.stdout
    sent = (tmp_path / "out.suit.app.bin").read_bytes()
    assert len(sent) == image.stat().st_size and sent != image.read_bytes()
    found = json.loads(twin_module.otactl("verify", "--json", "--key", shelf.public, tmp_path / "out.suit").stdout)
    assert found["unchecked"] == ["app: encrypted", "app: https://update.example/app"]


def test_token_faults_say_what_to_do(token, pack):
    uri, _ = token("ecdsa256", "01")
    for wrong, words in ((uri.replace("token=release", "token=other"), "no token fits"),
                         (uri.replace("object=ecdsa256", "object=other"), "no private key fits"),
                         (uri.split("&pin-source")[0] + "&pin-value=0000", "does not take the PIN"),
                         (uri.replace("libsofthsm2", "libnothing"), "module-path"),
                         ("pkcs11:nonsense", "URI")):
        with pytest.raises(twin_module.TwinError, match=words):
            pack("1.1.0", 7, key=wrong)
