"""The log on the card: what a technician reads when the card is in his hand."""

import re
import shutil
import time

import pytest

LINE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\+\d+\.\d{3}) [EWID] ota_manager ([0-9a-f]{8}):(\d+) .+$")


def files_of(twin):
    return sorted((twin.sd / "log").glob("ota?????.log"))


def lines_of(twin):
    return [line for path in files_of(twin) for line in path.read_text().splitlines() if line]


def wait_for_line(twin, text, timeout=20):
    end = time.monotonic() + timeout
    while not any(text in line for line in lines_of(twin)):
        assert time.monotonic() < end, f"no {text!r} in {lines_of(twin)}"
        time.sleep(0.05)


@pytest.fixture
def logging_twin(twin):
    def power_on(**options):
        twin.power_on(**{"log": "/sdcard/log", "auto": 1, "check-ms": 500, "time_scale": 10, **options})
        twin.wait_for("firmware:")
        return twin
    return power_on


def test_an_update_from_both_sides_of_its_restart(logging_twin, shelf):
    twin = logging_twin()
    (twin.sd / "bess_update.bin").write_bytes(shelf.image("newer", "1.1.0").read_bytes())
    twin.wait_for("CONFIRMED", 40)
    wait_for_line(twin, "CONFIRMED")
    lines = lines_of(twin)
    assert [line for line in lines if not LINE.match(line)] == []
    order = [next(i for i, line in enumerate(lines) if state in line)
             for state in ("CHECKING", "DOWNLOADING", "VERIFYING", "REBOOTING", "TRIAL_STARTED", "CONFIRMED")]
    assert order == sorted(order)
    numbers = {}
    for line in lines:
        numbers.setdefault(LINE.match(line)[2], []).append(int(LINE.match(line)[3]))
    assert len(numbers) == 2  # boots
    assert all(own == list(range(1, len(own) + 1)) for own in numbers.values())


def test_a_device_without_a_clock_counts_from_its_start(logging_twin):
    twin = logging_twin(**{"clock-unset": 1})
    wait_for_line(twin, "CHECKING")
    assert all(line.startswith("+") for line in lines_of(twin))


def test_files_make_room_for_each_other(logging_twin):
    twin = logging_twin(**{"log-size": 4096, "log-files": 2, "check-ms": 50, "time_scale": 300})
    end = time.monotonic() + 30
    while not any(int(path.stem[3:]) > 4 for path in files_of(twin)):
        assert time.monotonic() < end, [path.name for path in files_of(twin)]
        assert len(files_of(twin)) <= 3  # one of them is about to go, or has just come
        twin.ask("check")
    twin.kill()
    assert len(files_of(twin)) <= 2
    assert all(path.stat().st_size <= 4096 for path in files_of(twin))


def test_a_card_that_is_pulled_holds_up_nothing(logging_twin, shelf, tmp_path):
    twin = logging_twin()
    wait_for_line(twin, "CHECKING")
    away = tmp_path / "away"
    shutil.move(twin.sd, away)
    twin.drain()
    twin.wait_for("IDLE")  # it goes on looking
    shutil.move(away, twin.sd)
    before = len(lines_of(twin))
    (twin.sd / "bess_update.bin").write_bytes(shelf.image("newer", "1.1.0").read_bytes())
    twin.wait_for("CONFIRMED", 40)
    wait_for_line(twin, "CONFIRMED")
    assert len(lines_of(twin)) > before


def test_a_directory_off_the_card_is_refused(twin):
    twin.power_on(log="/etc/log")
    assert "sd_card.directory" in twin.wait_for("configuration")


def test_killed_at_any_time_what_was_written_can_be_read(logging_twin):
    seen = 0
    for _ in range(8):
        twin = logging_twin(**{"check-ms": 50})
        time.sleep(0.4)
        twin.kill()
        lines = lines_of(twin)
        torn = [line for line in lines if not LINE.match(line) and not line.startswith("-- ")]
        assert len(torn) <= 8
        assert len(lines) >= seen
        seen = len(lines)
    assert len({LINE.match(line)[2] for line in lines if LINE.match(line)}) >= 4
