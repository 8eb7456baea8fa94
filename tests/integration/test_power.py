"""Power that fails while the real processes work: bootloader, firmware, both."""

import re
import shutil
import time

import pytest

from twin import Twin

POWER_LOST = 10


def put(image, directory):
    shutil.copy(image, directory / "bess.bin")



@pytest.fixture(scope="module")
def operations(tmp_path_factory, shelf):
    """Flash operations of a whole update, from power-on to behind the confirmation."""
    device = Twin(tmp_path_factory.mktemp("count"), shelf.public)
    device.sd.mkdir()
    device.create_flash(shelf.image("good", "1.0.0"))
    put(shelf.image("newer", "1.1.0"), device.sd)
    device.power_on(auto=1, check_ms=300)
    device.wait_for("CONFIRMED")
    device.power_off()
    return int(re.search(r"switched off after (\d+) flash operations", device.lines[-1])[1])


# Zero and below: counted back from the last operation, which belongs to the confirmation.
@pytest.mark.parametrize("place, kind", [
    (1, "clean"), (2, "bytes"), (5, "erase"), (0.1, "bytes"), (0.4, "bits"), (0.7, "erase"), (0.9, "bytes"),
    (-14, "bytes"), (-12, "clean"), (-10, "erase"), (-8, "bytes"), (-6, "bits"), (-5, "clean"), (-4, "bytes"),
    (-3, "erase"), (-2, "clean"), (-1, "bytes"), (0, "bytes"),
])
def test_cut_then_recover(twin, shelf, operations, place, kind):
    cut = int(operations * place) if isinstance(place, float) else place if place > 0 else operations + place
    put(shelf.image("newer", "1.1.0"), twin.sd)
    twin.power_on(f"--cut-at={cut}:{kind}", auto=1, check_ms=300)
    assert twin.wait_end(timeout=20) == POWER_LOST
    assert f"power lost in flash operation {cut}" in twin.lines[-1]
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
    assert kib >= 40, first


def test_sigkill_at_random_times_never_bricks(twin, shelf):
    """Real kills, not modelled ones: the flash file is what the kernel kept of it."""
    put(shelf.image("newer", "1.1.0"), twin.sd)
    for n in range(12):
        twin.power_on(auto=1, check_ms=100)
        time.sleep(0.02 + 0.035 * n)
        twin.kill()
    twin.power_on(auto=1, check_ms=300)
    # Three kills inside the trial window give the build up; then somebody has to ask for it.
    given_up = "this build was reverted before"
    status = twin.wait_until(lambda s: s["report"]["confirmed"] or given_up in s["detail"], timeout=30)
    if not status["report"]["confirmed"]:
        assert status["report"]["reason"] == "power was lost in the trial window"
        assert twin.ask("start") == "ok"
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
