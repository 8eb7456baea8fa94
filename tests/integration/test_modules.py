"""Module boards behind the twin: processes of their own on python-can's multicast, each with its own flash and faults."""

import json
import os
import re
import subprocess
import time

import pytest

import twin as twin_module
from field_bus import CanSpace

OTACTL = twin_module.BUILD / "tools" / "otactl" / "otactl"
BOARD = twin_module.BUILD / "apps" / "module_board"
CAN = f"udp:{CanSpace.GROUP}"
ON_CARD = {"sd_path": "/sdcard/bess*.suit"}
SIZE = 16 * 1024


def board_image(version, seed=1):
    """Bytes with a version where an application has it (esp_app_desc_t)."""
    out = bytearray((i * 7 + i // 251 * seed) & 0xFF for i in range(SIZE))
    out[48:80] = version.encode().ljust(32, b"\0")
    return bytes(out)


class Rack:
    def __init__(self, folder, space):
        self.folder = folder
        self.space = space
        self.old = folder / "module-1.0.0.bin"
        self.new = folder / "module-2.0.0.bin"
        self.old.write_bytes(board_image("1.0.0"))
        self.new.write_bytes(board_image("2.0.0", 3))
        self.processes = {}

    def power_on(self, number, *faults):
        command = [*self.space.wrapper, BOARD, "--flash", self.folder / f"module-{number}.flash", "--image", self.old,
                   "--number", number, "--can", CAN, *faults]
        self.processes[number] = subprocess.Popen([str(word) for word in command],
                                                  preexec_fn=twin_module.die_with_parent)

    def power_off(self, number):
        process = self.processes.pop(number)
        process.kill()
        process.wait()

    def list(self, count, *arguments):
        return self.space.run(OTACTL, "modules", "--interface", CAN, "--count", count, *arguments, timeout=60)

    def versions(self, count):
        return [row.get("version") for row in json.loads(self.list(count, "--json").stdout)]

    def package(self, twin, shelf, numbers, sequence=7, app=None):
        description = {"vendor": "bess.example", "class": "BESS-100K200/CTRL-P4/R1", "sequence": sequence,
                       "version": "2.0.0",
                       "boards": {"class": "BESS-MODULE/R1", "file": str(self.new), "numbers": numbers}}
        if app:
            description["components"] = [{"id": "app", "file": str(app)}]
        (self.folder / "release.json").write_text(json.dumps(description))
        path = twin.sd / f"bess-{sequence}.suit"
        twin_module.otactl("pack", "--description", self.folder / "release.json", "--key", shelf.key, path)


@pytest.fixture
def rack(tmp_path):
    if not CanSpace.is_possible():
        pytest.skip("no right to make network namespaces")
    with CanSpace(f"bess-rack-{os.getpid()}") as space:
        made = Rack(tmp_path, space)
        yield made
        for number in list(made.processes):
            made.power_off(number)


def start(twin, rack, count, **settings):
    twin.wrapper = rack.space.wrapper
    twin.power_on(modules_can=CAN, modules=count, can_load=100, **ON_CARD, **settings)
    twin.wait_for("firmware:")


def install(twin):
    twin.ask("start")
    twin.wait_for("READY_TO_APPLY", 30)
    twin.ask("apply")


def test_boards_run_their_image_and_are_listed(twin, shelf, rack):
    for number in (1, 2, 3):
        rack.power_on(number)
    start(twin, rack, 3)
    before = rack.list(3, "--image", rack.new)
    assert before.returncode == 5 and "3 of 3 boards do not run" in before.stderr
    rack.package(twin, shelf, [1, 2, 3])
    install(twin)
    twin.wait_for("COMPLETE", 60)
    after = rack.list(3, "--image", rack.new)
    assert after.returncode == 0, after.stderr
    assert len(re.findall(r"^ +\d  0x2\d  BESS-MODULE-R1   M100\d +2\.0\.0 +yes .* confirmed$", after.stdout, re.M)) == 3


def test_nobody_is_there(rack):
    nobody = rack.list(1)
    assert nobody.returncode == 7 and "no board answers" in nobody.stderr


def test_faults_of_boards_end_in_a_report_for_each(twin, shelf, rack):
    faults = {1: (), 2: ("--dead",), 3: ("--loss", 5), 4: ("--reset-at", 10000), 5: ("--erase-ms", 300),
              6: ("--wrong-counter-at", 6000), 7: ("--reverts",), 8: ("--busy", 5)}
    for number, fault in faults.items():
        rack.power_on(number, *fault)
    start(twin, rack, 8, modules_quorum=6, modules_go_on=1)
    rack.package(twin, shelf, list(faults))
    install(twin)
    assert "does not answer" in twin.wait_for("COMPONENT bms/02", 150)
    assert "does not hold the image" in twin.wait_for("COMPONENT bms/07")
    assert rack.versions(8) == ["2.0.0", None, "2.0.0", "2.0.0", "2.0.0", "2.0.0", "1.0.0", "2.0.0"]
    # What is mended gets the same package; the others have it.
    rack.power_off(2)
    rack.power_off(7)
    rack.power_on(2)
    rack.power_on(7)
    time.sleep(0.5)
    install(twin)
    line = twin.wait_for("COMPONENTS", 60)
    assert "bms/01 held already" in line and "bms/02 written" in line and "bms/07 written" in line
    assert rack.versions(8) == ["2.0.0"] * 8


def test_board_that_was_changed_and_failed_ends_it(twin, shelf, rack):
    rack.power_on(1)
    rack.power_on(2, "--reverts")
    rack.power_on(3)
    start(twin, rack, 3)
    rack.package(twin, shelf, [1, 2, 3])
    install(twin)
    assert "does not hold the image" in twin.wait_for("FAILED", 60)
    assert rack.versions(3) == ["2.0.0", "1.0.0", "1.0.0"]


def test_power_lost_on_both_sides_is_taken_up(twin, shelf, rack):
    rack.power_on(1, "--erase-ms", 20)
    rack.power_on(2, "--cut-at", 40)
    start(twin, rack, 2)
    rack.package(twin, shelf, [1, 2])
    install(twin)
    assert rack.processes[2].wait(60) == 10  # in the middle of its update
    twin.kill()
    rack.power_on(2)
    start(twin, rack, 2)
    install(twin)
    line = twin.wait_for("COMPONENTS", 60)
    assert "bms/01 held already, bms/02 written" in line
    assert rack.versions(2) == ["2.0.0", "2.0.0"]


def test_boards_come_before_the_application(twin, shelf, rack):
    rack.power_on(1)
    rack.power_on(2)
    start(twin, rack, 2)
    rack.package(twin, shelf, [1, 2], app=shelf.image("newer", "2.0.0", None))
    install(twin)
    line = twin.wait_for("COMPONENTS", 60)
    assert "app written" in line and "bms/01 written, bms/02 written" in line
    twin.wait_for("CONFIRMED", 30)
    assert rack.versions(2) == ["2.0.0", "2.0.0"]


def test_locked_boards_and_others(twin, shelf, rack, tmp_path):
    key = tmp_path / "modules.key"
    key.write_text("5a" * 32 + "\n")
    rack.power_on(1, "--key", key)
    rack.power_on(2, "--hardware", "BESS-MODULE-R9")
    start(twin, rack, 2, modules_hardware="BESS-MODULE-R1", modules_quorum=1)
    rack.package(twin, shelf, [1, 2])
    install(twin)
    assert "is locked" in twin.wait_for("COMPONENT bms/01", 60)
    assert "not the module board" in twin.wait_for("COMPONENT bms/02")
    twin.kill()
    start(twin, rack, 2, modules_hardware="BESS-MODULE-R1", modules_quorum=1, modules_key=key)
    install(twin)
    assert "bms/01 written" in twin.wait_for("COMPONENTS", 60)
    assert rack.versions(2) == ["2.0.0", "1.0.0"]
