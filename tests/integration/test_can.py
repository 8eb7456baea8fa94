"""Updates over CAN: the twin's UDS server on python-can's multicast and on a serial adapter's line, and otactl as the
tester."""

import json
import os
import signal
import subprocess

import pytest

import twin as twin_module
from field_bus import CanSpace, Line

OTACTL = twin_module.BUILD / "tools" / "otactl" / "otactl"


@pytest.fixture
def space():
    if not CanSpace.is_possible():
        pytest.skip("no right to make network namespaces")
    with CanSpace(f"bess-can-{os.getpid()}") as made:
        yield made


def on_multicast(twin, space, *boot, **settings):
    twin.wrapper = space.wrapper
    twin.power_on(*boot, sd=False, can=f"udp:{space.GROUP}", can_load=100, serial_number="BESS-0042", **settings)
    twin.wait_for("firmware:")
    return ["--interface", f"udp:{space.GROUP}"]


def push(space, *arguments):
    return space.run(OTACTL, "push", "can", *arguments, timeout=180)


def test_push_over_can_and_apply(twin, shelf, space):
    place = on_multicast(twin, space)
    identity = json.loads(space.run(OTACTL, "identify", "can", *place, "--json").stdout)
    assert (identity["version"], identity["serial"], identity["state"]) == ("1.0.0", "BESS-0042", "IDLE")
    done = push(space, *place, "--apply", "--json", shelf.image("newer", "1.1.0"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["version_after"] == "1.1.0"
    twin.wait_for("CONFIRMED")


def test_push_with_can_fd(twin, shelf, space):
    place = on_multicast(twin, space, can_fd=1)
    done = push(space, *place, "--fd", shelf.image("newer", "1.1.0"))
    assert done.returncode == 0, done.stderr
    twin.wait_for("READY_TO_APPLY")


def test_push_over_a_serial_adapter(twin, shelf, tmp_path):
    with Line(tmp_path) as line:
        twin.power_on(sd=False, can=f"slcan:{line.device}", can_load=100)
        twin.wait_for("firmware:")
        done = twin_module.otactl("push", "can", "--interface", f"slcan:{line.master}", "--apply",
                                  shelf.image("newer", "1.1.0"))
        assert "runs      1.1.0" in done.stdout
        twin.wait_for("CONFIRMED")


def test_interrupted_push_goes_on_where_it_was(twin, shelf, space):
    place = on_multicast(twin, space, "--flash-timing")
    package = shelf.image("newer", "1.1.0")
    first = subprocess.Popen([*space.wrapper, str(OTACTL), "push", "can", *place, str(package)], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=twin_module.die_with_parent)
    twin.wait_for_progress(30)
    first.send_signal(signal.SIGINT)
    _, errors = first.communicate(timeout=20)
    assert first.returncode == 7 and "to go on" in errors
    second = push(space, *place, package)
    assert second.returncode == 0 and "goes on   at byte" in second.stdout, second.stderr
    twin.wait_for("READY_TO_APPLY")


def test_what_is_refused_is_said(twin, shelf, space):
    place = on_multicast(twin, space)
    other = push(space, *place, shelf.image("newer", "1.1.0", key="other"))
    assert other.returncode == 4 and "signature" in other.stderr
    same = push(space, *place, shelf.image("good", "1.0.0"))
    assert same.returncode == 5 and "version" in same.stderr
    nobody = space.run(OTACTL, "identify", "can", *place, "--request-id", "0x1CDA11F1", "--response-id", "0x1CDAF111")
    assert nobody.returncode == 7 and "no answer" in nobody.stderr


def test_the_door(twin, shelf, space, tmp_path):
    hmac = tmp_path / "door.key"
    hmac.write_text("5a" * 32 + "\n")
    wrong = tmp_path / "wrong.key"
    wrong.write_text("5b" * 32 + "\n")
    place = on_multicast(twin, space, access_key=hmac, time_scale=4)
    twin_module.time.sleep(3)  # no key is looked at in the first ten seconds, a quarter of them here
    package = shelf.image("newer", "1.1.0")
    shut = push(space, *place, package)
    assert shut.returncode == 5 and "locked" in shut.stderr
    bad = push(space, *place, "--access-hmac", wrong, package)
    assert bad.returncode == 4 and "this key" in bad.stderr
    good = push(space, *place, "--access-hmac", hmac, package)
    assert good.returncode == 0, good.stderr
