"""Power that fails while the real processes work: bootloader, firmware, both."""

import re
import shutil
import time

import pytest

POWER_LOST = 10


def put(image, directory):
    shutil.copy(image, directory / "bess.bin")



@pytest.mark.parametrize("cut", ["3", "40:bytes", "200:bits", "400:bytes", "520:erase", "543:bytes", "546:clean"])
def test_cut_then_recover(twin, shelf, cut):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on(f"--cut-at={cut}", auto=1, check_ms=300)
    code = None
    try:
        code = twin.wait_end(timeout=15)
    except Exception:  # noqa: BLE001 - fewer operations than the cut: the update is simply through
        twin.power_off()
    if code is not None:
        assert code == POWER_LOST
        assert re.search(r"power lost in flash operation \d+", twin.lines[-1])
    twin.power_on(auto=1, check_ms=300)
    twin.wait_until(lambda s: s["report"]["confirmed"] and s["report"]["version"] == "1.1.0", timeout=30)
    assert twin.status()["slot"] == 1
    assert twin.power_off() == 0


def test_resume_does_not_read_durable_bytes_again(twin, shelf):
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on("--cut-at=300:bytes", auto=1, check_ms=300)
    assert twin.wait_end() == POWER_LOST
    twin.power_on("--flash-timing", auto=1, check_ms=300)
    first = twin.wait_for("downloaded")
    kib = int(re.search(r"downloaded (\d+) of", first)[1])
    assert kib >= 60, first


def test_sigkill_at_random_times_never_bricks(twin, shelf):
    """Real kills, not modelled ones: the flash file is what the kernel kept of it."""
    put(shelf.image("newer", "1.1.0"), twin.sd)
    for n in range(12):
        twin.power_on(auto=1, check_ms=100)
        time.sleep(0.02 + 0.035 * n)
        twin.kill()
    twin.power_on(auto=1, check_ms=300)
    twin.wait_until(lambda s: s["report"]["confirmed"], timeout=30)
    assert twin.status()["slot"] == 1


def test_power_cycle_in_the_trial_window_reverts_and_tries_again(twin, shelf):
    put(shelf.image("fading", "1.1.0"), twin.sd)
    twin.power_on(auto=1, check_ms=300)
    twin.wait_for("TRIAL_STARTED")
    twin.kill()
    twin.power_on(auto=1, check_ms=300)
    assert "power was lost in the trial window" in twin.wait_for("REVERTED")
    twin.wait_for("TRIAL_STARTED")


def test_no_valid_image_is_said_and_ends(twin):
    memory = bytearray(twin.flash.read_bytes())
    memory[0x20000 + 5000] ^= 1
    twin.flash.write_bytes(memory)
    twin.power_on()
    assert twin.wait_end() == 4
    assert "no valid image" in twin.lines[-1]
