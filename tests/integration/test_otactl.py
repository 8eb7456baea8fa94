"""The command line of otactl: exit codes and help."""

import json

import pytest

from twin import BUILD, otactl


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
    assert code("inspect", tmp_path) == 6


def test_errors_say_what_to_do(shelf):
    result = otactl("verify", "--key", shelf.public, shelf.image("good", "1.0.0", key=None), check=False)
    assert "otactl image sign" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", [["keygen"], ["image", "build"], ["image", "sign"], ["verify"], ["inspect"],
                                     ["flash", "create"], ["flash", "show"]])
def test_help_has_an_example(command):
    result = otactl(*command, "--help")
    assert "Example:" in result.stdout
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
