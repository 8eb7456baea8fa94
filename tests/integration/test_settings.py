"""Settings in a signed package, from the card and from a server."""

import json

import pytest

import twin as twin_module
from nginx import Nginx

CLASS = "BESS-100K200/CTRL-P4/R1"
NIGHT = {"min_soc": 70, "max_current": 40, "log_level": "debug", "window": {"from": "22:00", "minutes": 1440}}


@pytest.fixture
def package(shelf, tmp_path):
    def make(document, sequence, key=None):
        (tmp_path / "settings.json").write_text(json.dumps(document, indent=4))
        path = tmp_path / "night.suit"
        twin_module.otactl("pack", "--settings", tmp_path / "settings.json", "--sequence", sequence, "--vendor", "bess.example",
                           "--class", CLASS, "--key", key or shelf.key, path)
        return path
    return make


def settings_in_journal(twin):
    return twin.inspect()["journal"]["settings"]


def test_settings_from_the_card(twin, package):
    (twin.sd / "night.suit").write_bytes(package(NIGHT, 7).read_bytes())
    twin.power_on(**{"sd_path": "/sdcard/*", "auto": 1, "check-ms": 500, "settings-packages": 1})
    twin.wait_for("max_current is not taken: looser")
    twin.wait_for("COMPLETE")
    twin.wait_for("running already")  # the same number once more
    result = json.loads((twin.sd / "night.suit.result.json").read_text())
    assert (result["outcome"], result["components"]) == ("confirmed", {"settings": "written"})
    twin.power_off()
    assert settings_in_journal(twin)["min_soc"] == 70


def test_settings_from_a_server(twin, package, tmp_path, authority):
    package(NIGHT, 7)
    with Nginx(tmp_path, tmp_path, authority.issue("server")) as server:
        twin.power_on(sd=False, url=f"https://localhost:{server.port}/night.suit", ca=authority.certificate,
                      **{"auto": 1, "check-ms": 500, "settings-packages": 1})
        twin.wait_for("COMPLETE")
        twin.wait_for("running already")
    twin.power_off()
    assert settings_in_journal(twin)["min_soc"] == 70


def test_settings_of_a_stranger_or_unasked_for_change_nothing(twin, package, tmp_path):
    twin_module.otactl("keygen", tmp_path / "other.pem", tmp_path / "other.pub.pem")
    (twin.sd / "night.suit").write_bytes(package(NIGHT, 7, key=tmp_path / "other.pem").read_bytes())
    twin.power_on(**{"sd_path": "/sdcard/*.suit", "settings-packages": 1})
    twin.ask("start")
    twin.wait_for("no trusted key")
    twin.power_off()
    (twin.sd / "night.suit").write_bytes(package(NIGHT, 7).read_bytes())
    twin.power_on(sd_path="/sdcard/*.suit")
    twin.ask("start")
    twin.wait_for("component")
    twin.power_off()
    assert settings_in_journal(twin) == {}
