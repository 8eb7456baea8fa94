"""SD card and USB drive: what is inserted, pulled, renamed or replaced."""

import json
import shutil
import time


def put(image, directory, name):
    shutil.copy(image, directory / name)


def test_no_card_is_no_update(twin):
    twin.sd.rmdir()
    twin.power_on()
    twin.ask("check")
    twin.wait_for("IDLE: no medium")


def test_inserted_card_is_looked_at_by_itself(twin, shelf):
    twin.sd.rmdir()
    staging = twin.folder / "card"
    staging.mkdir()
    put(shelf.image("newer", "1.1.0"), staging, "bess.bin")
    twin.power_on()
    time.sleep(1.5)
    staging.rename(twin.sd)
    twin.wait_for("UPDATE_AVAILABLE")


def test_card_pulled_in_mid_download_is_continued_when_it_is_back(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd, "bess.bin")
    twin.power_on("--flash-timing", auto=1, check_ms=1000)
    twin.wait_for_progress(40)
    twin.sd.rename(twin.folder / "pulled")
    time.sleep(2)
    assert twin.status()["status"] == "DOWNLOADING"  # waiting, not failed
    (twin.folder / "pulled").rename(twin.sd)
    twin.wait_for("CONFIRMED", timeout=60)


def test_usb_drive_alone_and_beside_a_card(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.usb, "bess.bin")
    twin.power_on(sd=False, usb=True)
    twin.ask("check")
    twin.wait_for("UPDATE_AVAILABLE")
    twin.power_off()
    twin.power_on(sd=True, usb=True)  # the card is empty: the drive is asked next
    twin.ask("check")
    twin.wait_for("UPDATE_AVAILABLE")


def test_greatest_name_first_and_the_next_when_it_does_not_fit(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd, "bess-1.9.0.bin")
    put(shelf.image("newer", "0.9.0"), twin.sd, "bess-1.10.0.bin")
    twin.power_on()
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY")
    twin.power_off()
    assert twin.inspect()["slots"]["ota_1"]["version"] == "1.1.0"


def test_8_3_alias_and_upper_case(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd, "BESS_U~1.BIN")
    twin.power_on(sd_path="/sdcard/bess_update.bin")
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY")


def test_file_replaced_in_mid_download_is_refused(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd, "bess.bin")
    twin.power_on("--flash-timing")
    twin.ask("start")
    twin.wait_for_progress(40)
    put(shelf.image("good", "1.2.0"), twin.sd, "bess.bin")
    assert "changed while it was read" in twin.wait_for("FAILED")
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY", timeout=60)


def test_the_result_lies_beside_the_package_and_nothing_else_changes(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd, "bess.bin")
    before = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in twin.sd.iterdir()}
    twin.power_on(auto=1, check_ms=500)
    twin.wait_for("REPORT: 1.1.0 from SD card confirmed")
    after = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in twin.sd.iterdir()}
    result = json.loads(after.pop("bess.bin.result.json")[1])
    assert after == before
    assert (result["version"], result["outcome"], result["why"]) == ("1.1.0", "confirmed", "")


def test_write_protected_card_is_as_good(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd, "bess.bin")
    (twin.sd / "bess.bin.result.json.new").mkdir()  # in the way, also for root
    twin.power_on(auto=1, check_ms=500)
    twin.wait_for("CONFIRMED")
    assert not (twin.sd / "bess.bin.result.json").exists()
