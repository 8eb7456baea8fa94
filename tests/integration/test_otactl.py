"""The command line of otactl: exit codes and help."""

import json
from pathlib import Path

import pytest

from twin import BUILD, ROOT, otactl


def code(*arguments):
    return otactl(*arguments, check=False).returncode


def test_exit_codes(shelf, tmp_path):
    image = shelf.image("good", "1.0.0")
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\1" * 5000)
    assert code("verify", "--key", shelf.public, image) == 0
    assert code() == 2
    assert code("frobnicate") == 2
    assert code("keygen", "--type", "des", "a", "b") == 2
    assert code("inspect", garbage) == 3
    assert code("verify", "--key", shelf.public, shelf.image("good", "1.0.0", key="other")) == 4
    assert code("verify", "--key", shelf.public, shelf.image("good", "1.0.0", key=None)) == 4
    assert code("verify", "--key", shelf.public, "--running", "2.0.0", image) == 5
    assert code("inspect", tmp_path / "none") == 6
    assert code("image", "build", "--version", "1.2", BUILD / "apps" / "bess_sim_good", tmp_path / "x") == 2
    assert code("image", "build", "--version", "1.2.0", "/etc/passwd", tmp_path / "x") == 3
    assert code("flash", "create", "--app", "/etc/passwd", tmp_path / "x") == 3
    assert code("verify", "--key", shelf.key, image) == 2
    assert code("inspect", tmp_path) == 6


def test_keys_are_never_replaced_by_accident(tmp_path):
    key, public = tmp_path / "k.pem", tmp_path / "k.pub"
    assert code("keygen", key, public) == 0
    before = key.read_bytes()
    assert code("keygen", key, tmp_path / "other.pub") == 5
    assert code("keygen", tmp_path / "other.pem", public) == 5
    assert code("keygen", tmp_path / "same", tmp_path / "same") == 2
    assert key.read_bytes() == before
    assert not (tmp_path / "other.pem").exists() and not (tmp_path / "other.pub").exists()
    assert code("keygen", "--force", key, public) == 0
    assert key.read_bytes() != before
    assert code("keygen", tmp_path / "none" / "k", tmp_path / "none" / "p") == 6


def test_outputs_that_are_no_plain_files(tmp_path):
    program = BUILD / "apps" / "bess_sim_good"
    link, target = tmp_path / "link", tmp_path / "target"
    target.write_bytes(b"old")
    link.symlink_to(target)
    assert code("image", "build", "--version", "1.0.0", program, link) == 0
    assert link.is_symlink() and target.read_bytes()[0] == 0xE9
    assert code("image", "build", "--version", "1.0.0", program, "/dev/null") == 0
    assert Path("/dev/null").is_char_device()


def test_leftovers_of_others_do_not_weaken_a_key(tmp_path):
    (tmp_path / "k.pem.tmp").touch(mode=0o666)
    assert code("keygen", tmp_path / "k.pem", tmp_path / "k.pub") == 0
    assert (tmp_path / "k.pem").stat().st_mode & 0o077 == 0


def test_errors_say_what_to_do(shelf):
    result = otactl("verify", "--key", shelf.public, shelf.image("good", "1.0.0", key=None), check=False)
    assert "otactl image sign" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", [["keygen"], ["image", "build"], ["image", "sign"], ["verify"], ["inspect"],
                                     ["pack"], ["sign"], ["unpack"], ["uuid"],
                                     ["flash", "create"], ["flash", "show"]])
def test_help_has_an_example(command):
    result = otactl(*command, "--help")
    assert "Example" in result.stdout
    assert f"otactl {' '.join(command)}" in result.stdout


def test_private_key_is_private(shelf):
    assert shelf.key.stat().st_mode & 0o077 == 0


def test_inspect_json_of_each_kind(shelf, twin, tmp_path):
    flash = twin.flash.read_bytes()
    parts = {"table": flash[0x8000:0x8C00], "otadata": flash[0xF000:0x11000]}
    kinds = {"table": "partition table", "otadata": "otadata"}
    for name, content in parts.items():
        (tmp_path / name).write_bytes(content)
        assert json.loads(otactl("inspect", "--json", tmp_path / name).stdout)["type"] == kinds[name]
    assert json.loads(otactl("inspect", "--json", shelf.image("good", "1.0.0")).stdout)["type"] == "image"
    assert twin.inspect()["type"] == "flash"


def test_builds_are_reproducible(tmp_path):
    program = BUILD / "apps" / "bess_sim_good"
    for name in ("a", "b"):
        otactl("image", "build", "--version", "1.0.0", program, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_tables_of_the_modbus_map_are_the_codes_own():
    tables = otactl("identify", "modbus", "--map").stdout
    assert (ROOT / "docs" / "modbus-map.md").read_text().endswith(tables)
