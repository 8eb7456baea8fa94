"""On a board with an SD card in its slot; see README.md.

The card holds bess_1.1.0.suit (this firmware with PROJECT_VER 1.1.0) before the first test, and bess_1.2.0.suit (its
battery_probe returning OTA_HEALTH_FAIL) is asked for by the second."""

import pytest
from pytest_embedded import Dut

UPDATE = 180  # s: 1.5 MB from a card, and a trial


def battery_is_well(dut: Dut) -> None:
    dut.expect_exact("bess>", timeout=30)
    dut.write("bms 80 18 24 0")
    dut.expect_exact("bess>")


@pytest.mark.parametrize("target", ["esp32p4"], indirect=True)
def test_update_from_card_is_kept(dut: Dut) -> None:
    dut.expect_exact("version 1.0.0", timeout=30)
    battery_is_well(dut)
    dut.write("ota start")
    dut.expect_exact("REBOOTING", timeout=UPDATE)
    dut.expect_exact("version 1.1.0", timeout=30)
    battery_is_well(dut)  # what the probe waits for
    dut.expect_exact("confirmed", timeout=UPDATE)
    dut.write("ota status")
    dut.expect(r"last attempt +1\.1\.0 from SD card: confirmed")


@pytest.mark.parametrize("target", ["esp32p4"], indirect=True)
def test_unhealthy_firmware_comes_back(dut: Dut) -> None:
    battery_is_well(dut)
    dut.write("ota start")
    dut.expect_exact("version 1.2.0", timeout=UPDATE)
    dut.expect_exact("version 1.1.0", timeout=UPDATE)
    battery_is_well(dut)
    dut.write("ota status")
    dut.expect(r"given up +1\.2\.0 bms: ")
