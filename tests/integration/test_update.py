"""The twin as processes: firmware that runs out of flash updates itself."""

import hashlib
import os
import pty
import re
import shutil
import subprocess
import time

import pytest

from twin import BUILD, TwinError, die_with_parent


def put(image, directory, name=None):
    shutil.copy(image, directory / (name or f"bess-{image.stem}.bin"))


def slot_version(twin, slot):
    return twin.inspect()["slots"][slot]["version"]


def test_confirmed_by_hand(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on()
    assert twin.ask("check") == "ok"
    twin.wait_for("UPDATE_AVAILABLE")
    assert twin.ask("start") == "ok"
    twin.wait_for("READY_TO_APPLY")
    assert twin.ask("apply") == "ok"
    twin.wait_for("TRIAL_STARTED")
    twin.wait_for("CONFIRMED")
    status = twin.status()
    assert status["slot"] == 1 and not status["trial"]
    report = status["report"]
    assert (report["ended"], report["confirmed"], report["reason"]) == (True, True, "none")
    assert (report["version"], report["probe"]) == ("1.1.0", "")
    assert (report["outcome"], report["source"]) == ("confirmed", "SD card")
    assert report["received"] > 100000 and report["retries"] == 0
    assert twin.power_off() == 0
    states = [entry["state"] for entry in twin.inspect()["otadata"]]
    assert states == ["VALID", "VALID"]


def test_two_updates_in_a_row_use_both_slots(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on(auto=1, check_ms=500)
    twin.wait_for("CONFIRMED")
    put(shelf.image("good", "1.2.0"), twin.sd)
    twin.wait_for("CONFIRMED")
    assert twin.status()["slot"] == 0
    twin.power_off()
    assert slot_version(twin, "ota_0") == "1.2.0"


@pytest.mark.parametrize("variant, reset, reason", [
    ("crashing", "reset: panic (Segmentation fault)", "crashed before it was confirmed"),
    ("hanging", "reset: watchdog", "stopped responding (watchdog)"),
    ("failing", "reset: software restart", "a health probe failed"),
    ("fading", "reset: software restart", "a health probe failed"),
])
def test_bad_firmware_comes_back_by_itself(twin, shelf, variant, reset, reason):
    put(shelf.image(variant, "1.2.0"), twin.sd)
    twin.power_on("--watchdog-ms=800", auto=1, check_ms=700)
    twin.wait_for("starting ota_1")
    twin.wait_for(reset)
    assert reason in twin.wait_for("REVERTED")
    # It is not tried again by itself …
    twin.wait_for("this build was reverted before")
    report = twin.status()["report"]
    assert report["reason"] == reason and not report["confirmed"] and report["version"] == "1.2.0"
    assert report["outcome"] == "reverted" and report["reset"] != "unknown"
    assert report["probe"] == ("plant" if reason == "a health probe failed" else "")
    # … and the device goes on to the next one.
    put(shelf.image("newer", "1.3.0"), twin.sd)
    twin.wait_for("CONFIRMED")
    assert twin.power_off() == 0


def test_trial_that_nobody_confirms_ends_at_its_deadline(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.battery.write_text("soc=80\n")
    twin.power_on(auto=1, check_ms=500, rollback_ms=1500)
    twin.wait_for("REBOOTING")
    twin.battery.write_text("fail=1\n")  # the BMS never talks to the new firmware
    twin.wait_for("TRIAL_STARTED")
    assert "not all health probes passed in time" in twin.wait_for("REVERTED")


def test_rollback_by_command(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on(auto=1, check_ms=500)
    twin.wait_for("CONFIRMED")
    assert twin.ask("rollback") == "ok"
    assert "on request" in twin.wait_for("REVERTED")
    assert twin.status()["slot"] == 0


def test_crash_after_confirmation_keeps_the_image(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on(auto=1, check_ms=500)
    twin.wait_for("CONFIRMED")
    for _ in range(3):
        with pytest.raises(TwinError):
            twin.ask("crash", timeout=0.3)
        twin.wait_for("firmware: newer, slot ota_1")
    twin.wait_for("IDLE: this version is running already")
    assert twin.status()["slot"] == 1


def test_low_battery_refuses_then_pauses_then_resumes(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on("--flash-timing")
    twin.ask("battery soc=12")
    twin.ask("start")
    assert "(12 %, limit 30 %)" in twin.wait_for("FAILED")
    assert twin.status()["error"] == 9  # OTA_ERR_BATTERY_LOW
    twin.ask("battery soc=80")
    twin.ask("start")
    twin.wait_for_progress(20)
    twin.ask("battery t_max=50")
    assert "(50.0 C, limit 45.0 C)" in twin.wait_for("PAUSED")
    before = twin.wait_until(lambda s: s["paused"])
    time.sleep(1)
    after = twin.status()
    assert after["status"] == "DOWNLOADING" and after["received"] == before["received"]
    twin.ask("battery t_max=30")
    twin.wait_for("RESUMED")
    twin.wait_for("READY_TO_APPLY")


def test_stale_battery_data_is_unsafe(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on()
    twin.ask("battery stale=6000")
    twin.ask("start")
    assert "(6000 ms old, limit 5000 ms)" in twin.wait_for("FAILED")
    assert twin.status()["error"] == 10  # OTA_ERR_BMS_UNSAFE


def test_abort_then_start_again(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on("--flash-timing")
    twin.ask("start")
    twin.wait_for_progress(20)
    assert twin.ask("abort") == "ok"
    twin.wait_for("ABORTED")
    assert twin.ask("apply").startswith("error")
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY")


def test_untrusted_and_damaged_packages_change_nothing(twin, shelf):
    good = shelf.image("newer", "1.1.0").read_bytes()
    damaged = bytearray(good)
    damaged[5000] ^= 1
    twin.power_on()
    cases = [
        (shelf.image("newer", "1.1.0", key="other").read_bytes(), "no signature by a trusted key"),
        (shelf.image("newer", "1.1.0", key=None).read_bytes(), "the image is not signed"),
        (bytes(damaged), "checksum is wrong"),
        (good[:-5000], "the file is not exactly one image"),
        (good + b"\0", "the file is not exactly one image"),
        (b"\x89PNG" + good, "unknown package format"),
        (shelf.image("newer", "0.9.0").read_bytes(), "downgrades are refused"),
        (shelf.image("newer", "1.1.0", project="toaster").read_bytes(), "built for another project"),
        (shelf.image("newer", "1.1.0", chip_id=9).read_bytes(), "built for another chip"),
        (shelf.image("newer", "1.1.0", min_chip_rev=301).read_bytes(), "built for another chip revision"),
    ]
    for package, text in cases:
        (twin.sd / "bess.bin").write_bytes(package)
        twin.ask("start")
        assert text in twin.wait_for("FAILED"), text
    twin.power_off()
    assert [e["state"] for e in twin.inspect()["otadata"]] == ["VALID", "blank"]


def test_expected_digests_beside_the_file(twin, shelf):
    package = shelf.image("newer", "1.1.0").read_bytes()
    (twin.sd / "bess.bin").write_bytes(package)
    (twin.sd / "bess.bin.sha256").write_text("0" * 64 + "  bess.bin\n")
    twin.power_on()
    twin.ask("start")
    assert "SHA-256 differs" in twin.wait_for("FAILED")
    (twin.sd / "bess.bin.sha256").write_text(hashlib.sha256(package).hexdigest() + "  bess.bin\n")
    (twin.sd / "bess.bin.md5").write_text("not a digest\n")
    twin.ask("start")
    assert ".md5 file beside the package is malformed" in twin.wait_for("FAILED")
    (twin.sd / "bess.bin.md5").write_text(hashlib.md5(package).hexdigest() + "  bess.bin\n")
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY")


def test_progress_line_on_a_terminal(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    terminal, child = pty.openpty()
    process = subprocess.Popen(
        [BUILD / "apps" / "bess_boot", "--flash", twin.flash, "--flash-timing", "--", f"key={shelf.public}",
         f"sd={twin.sd}", f"control={twin.socket}"], stdout=child, stderr=child, preexec_fn=die_with_parent)
    os.close(child)
    try:
        twin.ask("start")
        twin.wait_until(lambda s: s["status"] == "READY_TO_APPLY")
        twin.ask("off")
        process.wait(10)
        text = b""
        try:
            while chunk := os.read(terminal, 65536):
                text += chunk
        except OSError:  # the other end of a terminal has gone
            pass
    finally:
        process.kill()
        os.close(terminal)
    lines = re.findall(rb"\r +(\d+) % +\d+ of \d+ KiB +\d+ KiB/s +\d+ s left", text)
    assert len(lines) > 5 and lines[-1] == b"100", text


def test_plain_lines_elsewhere(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on("--flash-timing")
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY")
    assert not [line for line in twin.lines if "\r" in line or "KiB/s" in line]
    assert 5 <= sum("downloaded" in line for line in twin.lines) <= 12
