"""Updates over Modbus: the twin's server, real sockets and pseudo terminals, and otactl as the master."""

import json
import os
import signal
import subprocess
import time

import pytest

import twin as twin_module
from field_bus import Line, free_port


def push(*arguments, check=True):
    return twin_module.otactl("push", "modbus", *arguments, check=check)


@pytest.fixture
def device(twin):
    port = free_port()
    twin.power_on(sd=False, modbus_port=port, serial_number="BESS-0042")
    twin.wait_for("firmware:")
    twin.modbus = ["--host", "127.0.0.1", "--port", port]
    return twin


def test_push_over_tcp_and_apply(device, shelf):
    result = push(*device.modbus, "--apply", "--json", shelf.image("newer", "1.1.0"))
    report = json.loads(result.stdout)
    assert (report["version_before"], report["version_after"]) == ("1.0.0", "1.1.0")
    assert report["serial"] == "BESS-0042"
    device.wait_for("CONFIRMED")
    identity = json.loads(twin_module.otactl("identify", "modbus", *device.modbus, "--json").stdout)
    assert identity["version"] == "1.1.0" and identity["state"] == "IDLE"


def test_push_over_a_serial_line(twin, shelf, tmp_path):
    with Line(tmp_path) as line:
        twin.power_on(sd=False, modbus_line=line.device, modbus_baud=115200, modbus_unit=17)
        twin.wait_for("firmware:")
        push("--line", line.master, "--baud", 115200, "--unit", 17, "--apply", shelf.image("newer", "1.1.0"))
        twin.wait_for("CONFIRMED")
        wrong = twin_module.otactl("identify", "modbus", "--line", line.master, "--baud", 115200, "--unit", 18,
                                   check=False)
        assert wrong.returncode == 7 and "unit 18" in wrong.stderr


def test_interrupted_push_goes_on_where_it_was(device, shelf):
    package = shelf.image("newer", "1.1.0")
    device.kill()
    device.power_on("--flash-timing", sd=False, modbus_port=device.modbus[3])
    device.wait_for("firmware:")
    command = [twin_module.BUILD / "tools" / "otactl" / "otactl", "push", "modbus", *map(str, device.modbus), package]
    first = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             preexec_fn=twin_module.die_with_parent)
    device.wait_for_progress(30)
    first.send_signal(signal.SIGINT)
    _, errors = first.communicate(timeout=20)
    assert first.returncode == 7 and "to go on" in errors
    second = push(*device.modbus, package)
    assert "goes on   at byte" in second.stdout
    device.wait_for("READY_TO_APPLY")


def test_power_lost_in_mid_transfer(device, shelf):
    """The session is gone then, and said to be; what flash holds is not."""
    package = shelf.image("newer", "1.1.0")
    device.kill()
    port = device.modbus[3]
    device.power_on("--flash-timing", sd=False, modbus_port=port)
    device.wait_for("firmware:")
    command = [twin_module.BUILD / "tools" / "otactl" / "otactl", "push", "modbus", *map(str, device.modbus), package]
    master = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             preexec_fn=twin_module.die_with_parent)
    device.wait_for_progress(40)
    device.kill()
    device.power_on("--flash-timing", sd=False, modbus_port=port)
    _, errors = master.communicate(timeout=90)
    assert master.returncode == 7 and "restarted" in errors  # the session is gone; the bytes are not
    again = push(*device.modbus, package)
    assert "verified" in again.stdout
    device.wait_for("READY_TO_APPLY")


def test_what_is_refused_is_said(device, shelf):
    same = push(*device.modbus, shelf.image("good", "1.0.0"), check=False)
    assert same.returncode == 5 and "version" in same.stderr
    untrusted = push(*device.modbus, shelf.image("newer", "1.1.0", key="other"), check=False)
    assert untrusted.returncode == 4 and "signature" in untrusted.stderr + untrusted.stdout


def test_part_of_another_package_is_given_up_when_asked(device, shelf):
    port = device.modbus[3]
    device.kill()
    device.power_on("--flash-timing", sd=False, modbus_port=port)
    device.wait_for("firmware:")
    command = [twin_module.BUILD / "tools" / "otactl" / "otactl", "push", "modbus", *map(str, device.modbus),
               shelf.image("newer", "1.1.0")]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             preexec_fn=twin_module.die_with_parent)
    device.wait_for_progress(40)
    first.kill()
    first.wait()
    device.kill()
    device.power_on(sd=False, modbus_port=port)
    device.wait_for("firmware:")
    time.sleep(1)
    other = shelf.image("newer", "1.2.0")
    refused = push(*device.modbus, other, check=False)
    assert refused.returncode == 5 and "--replace" in refused.stderr
    push(*device.modbus, "--replace", other)
    device.wait_for("READY_TO_APPLY")


def test_red_battery_is_said_and_waited_for(device, shelf):
    device.kill()
    device.power_on("--flash-timing", sd=False, modbus_port=device.modbus[3])
    device.wait_for("firmware:")
    device.ask("battery soc=10")
    time.sleep(1)
    identity = twin_module.otactl("identify", "modbus", *device.modbus).stdout
    assert "state of charge" in identity
    refused = push(*device.modbus, shelf.image("newer", "1.1.0"), check=False)
    assert refused.returncode == 5 and "charge" in refused.stderr
    device.ask("battery soc=80")
    time.sleep(1)
    push(*device.modbus, shelf.image("newer", "1.1.0"))


def test_the_door(twin, shelf, tmp_path):
    port = free_port()
    hmac = tmp_path / "door.key"
    hmac.write_text("5a" * 32 + "\n")
    wrong = tmp_path / "wrong.key"
    wrong.write_text("5b" * 32 + "\n")
    twin_module.otactl("keygen", tmp_path / "tool.pem", tmp_path / "tool.pub.pem")
    twin.power_on(sd=False, modbus_port=port, serial_number="BESS-0042", access_key=hmac,
                  access_keys=tmp_path / "tool.pub.pem", time_scale=20)
    twin.wait_for("firmware:")
    time.sleep(1)  # no proof is looked at in the first ten seconds, which pass in half a second here
    place = ["--host", "127.0.0.1", "--port", port]
    package = shelf.image("newer", "1.1.0")
    shut = push(*place, package, check=False)
    assert shut.returncode == 5 and "locked" in shut.stderr
    bad = push(*place, "--access-hmac", wrong, package, check=False)
    assert bad.returncode == 4 and "this key" in bad.stderr
    push(*place, "--access-key", tmp_path / "tool.pem", package)
    twin.ask("abort")


def test_nobody_there():
    result = push("--host", "127.0.0.1", "--port", free_port(), "--patience", 1, __file__, check=False)
    assert result.returncode == 7 and "check address" in result.stderr
    missing = push("--host", "127.0.0.1", "/no/such/file", check=False)
    assert missing.returncode == 6 and "no such file" in missing.stderr
    usage = push(os.devnull, check=False)
    assert usage.returncode == 2 and "--host" in usage.stderr


def test_port_that_is_taken_is_said(device, tmp_path, shelf):
    other = twin_module.Twin(tmp_path / "other", shelf.public)
    other.folder.mkdir()
    other.create_flash(shelf.image("good", "1.0.0"))
    other.power_on(sd=False, modbus_port=device.modbus[3])
    other.wait_for("another program has it")
    other.kill()
