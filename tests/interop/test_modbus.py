"""Images pushed over Modbus by masters of other makers, by docs/modbus-map.md alone: mbpoll, pymodbus on TCP and on a
serial line, libmodbus (otactl); and what tshark says of the frames."""

import contextlib
import hashlib
import socket
import subprocess
import threading
import time

import pytest

from field_bus import Line, free_port
from twin import Twin, otactl

PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's pymodbus
BASE = 8000
# A master by the map: open, windows at the next offset, finish, apply.
MASTER = r"""
import hashlib, sys, time
import pymodbus
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
kind, place, unit, path = sys.argv[1:]
unit = int(unit)
package = open(path, "rb").read()
client = (ModbusTcpClient("127.0.0.1", port=int(place)) if kind == "tcp"
          else ModbusSerialClient(place, baudrate=115200, parity="N", timeout=2))
assert client.connect()

def read(at, count):
    answer = client.read_holding_registers(8000 + at, count, unit)
    assert not answer.isError(), answer
    return answer.registers

def write(at, values):
    return client.write_registers(8000 + at, values, unit)

def registers(data):
    data += b"\0" * (len(data) % 2)
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]

def order(command, *more):
    order.sequence = (order.sequence + 1) % 65536
    answer = write(100, [order.sequence, command, *more])
    assert not answer.isError(), answer
    while True:
        done, result = read(57, 2)
        assert done == order.sequence
        if result != 1:
            return result
        time.sleep(0.02)

assert read(0, 2) == [0x4F54, 0x4131]
order.sequence = read(57, 1)[0]
size = len(package)
assert order(1, 0, 0, size >> 16, size & 0xFFFF, 0, 0, *registers(hashlib.sha256(package).digest())) == 0
tag = read(50, 1)[0]
at = blocks = 0
while at < size:
    answer = write(200, [tag, at >> 16, at & 0xFFFF, *registers(package[at:at + 240])])
    if answer.isError():
        assert answer.exception_code == 6, answer
        time.sleep(read(52, 1)[0] / 1000)
        continue
    at = min(at + 240, size)
    blocks += 1
assert order(2) == 0
assert client.read_holding_registers(8000 + 400, 1, unit).isError()
assert client.write_registers(8000 + 200, [tag] * 124, unit).isError()
try:
    order(3, 0, 0)
except Exception:
    pass  # it restarts, perhaps before it has said so
print(blocks)
"""


@pytest.fixture
def device(tmp_path, images):
    made = Twin(tmp_path, images["public"])
    made.create_flash(images["1.0.0"])
    yield made
    made.kill()


def on_tcp(device):
    port = free_port()
    device.power_on(sd=False, modbus_port=port, serial_number="BESS-0042")
    device.wait_for("firmware:")
    return port


def runs_the_new_one(device):
    device.wait_for("starting ota_1")
    device.wait_for("CONFIRMED")


def test_G03_pymodbus_on_tcp(device, images):
    port = on_tcp(device)
    subprocess.run([PYTHON, "-c", MASTER, "tcp", str(port), "1", images["1.1.0"]], check=True, timeout=120)
    runs_the_new_one(device)


def test_G03_pymodbus_on_a_serial_line(device, images, tmp_path):
    with Line(tmp_path) as line:
        device.power_on(sd=False, modbus_line=line.device, modbus_baud=115200, modbus_format=1, modbus_unit=5)
        device.wait_for("firmware:")
        subprocess.run([PYTHON, "-c", MASTER, "rtu", line.master, "5", images["1.1.0"]], check=True, timeout=180)
        runs_the_new_one(device)


def test_G03_libmodbus_on_both(device, images, tmp_path):
    port = on_tcp(device)
    otactl("push", "modbus", "--host", "127.0.0.1", "--port", port, images["1.1.0"])
    device.ask("abort")
    device.kill()
    with Line(tmp_path) as line:
        device.power_on(sd=False, modbus_line=line.device, modbus_baud=230400)
        device.wait_for("firmware:")
        otactl("push", "modbus", "--line", line.master, "--baud", 230400, "--apply", images["1.1.0"])
        runs_the_new_one(device)


class Mbpoll:
    """A technician's commands."""

    def __init__(self, port):
        self._command = ["mbpoll", "-m", "tcp", "-p", str(port), "-0", "-a", "1", "-q", "-1"]

    def read(self, at, count):
        out = subprocess.run([*self._command, "-r", str(BASE + at), "-c", str(count), "127.0.0.1"], text=True,
                             capture_output=True, check=True, timeout=20).stdout
        rows = dict(line.split(":") for line in out.splitlines() if line.startswith("["))
        return [int(rows[f"[{BASE + at + i}]"].split()[0]) & 0xFFFF for i in range(count)]

    def write(self, at, values):
        done = subprocess.run([*self._command, "-r", str(BASE + at), "127.0.0.1", *map(str, values)], text=True,
                              capture_output=True, timeout=20)
        return done.returncode == 0 and "Written" in done.stdout


def registers(data):
    data += b"\0" * (len(data) % 2)
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]


def waited(mbpoll, end):
    """CMD_RESULT once it is no longer 1."""
    while (result := mbpoll.read(58, 1)[0]) == 1:
        assert time.monotonic() < end
        time.sleep(0.05)
    return result


def test_mbpoll(device, images):
    """Each window is a command of its own."""
    end = time.monotonic() + 120
    mbpoll = Mbpoll(on_tcp(device))
    package = images["1.1.0"].read_bytes()
    size = len(package)
    assert mbpoll.write(100, [1, 1, 0, 0, size >> 16, size & 0xFFFF, 0, 0, *registers(hashlib.sha256(package).digest())])
    assert waited(mbpoll, end) == 0
    tag = mbpoll.read(50, 1)[0]
    assert tag != 0
    at = 0
    while at < size:
        assert time.monotonic() < end
        if mbpoll.write(200, [tag, at >> 16, at & 0xFFFF, *registers(package[at:at + 240])]):
            at = min(at + 240, size)
        else:
            time.sleep(0.05)
    assert mbpoll.write(100, [2, 2])
    assert waited(mbpoll, end) == 0
    assert mbpoll.write(101, [3])  # a single register is FC06: its number is implied
    runs_the_new_one(device)


class Tap:
    """A proxy that keeps what goes by."""

    def __init__(self, port):
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.frames = []  # (is a request, bytes)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            master, _ = self._server.accept()
            device = socket.create_connection(("127.0.0.1", self._to))
            for source, sink, is_request in ((master, device, True), (device, master, False)):
                threading.Thread(target=self._copy, args=(source, sink, is_request), daemon=True).start()

    def _copy(self, source, sink, is_request):
        with contextlib.suppress(OSError):  # either side may end it
            while data := source.recv(4096):
                self.frames.append((is_request, data))
                sink.sendall(data)
        sink.close()


def test_tshark_finds_nothing_malformed(device, images, tmp_path):
    tap = Tap(on_tcp(device))
    otactl("push", "modbus", "--host", "127.0.0.1", "--port", tap.port, images["1.1.0"])
    client = socket.create_connection(("127.0.0.1", tap.port))
    for request in ("2b0e0100", "2b0e0200", "140706ffff00000002", "03ffff0001"):
        pdu = bytes.fromhex(request)
        client.sendall(b"\0\1\0\0" + (len(pdu) + 1).to_bytes(2, "big") + b"\1" + pdu)
        time.sleep(0.1)
    client.close()
    listing = tmp_path / "frames.txt"
    with listing.open("w") as out:
        for is_request, data in tap.frames:
            out.write("I\n" if is_request else "O\n")  # inbound goes to port 502
            out.write("000000 " + " ".join(f"{byte:02x}" for byte in data) + "\n")
    capture = tmp_path / "frames.pcap"
    subprocess.run(["text2pcap", "-q", "-D", "-T", "40000,502", listing, capture], check=True, capture_output=True)

    def count(expression):
        out = subprocess.run(["tshark", "-r", capture, "-Y", expression, "-T", "fields", "-e", "frame.number"],
                             text=True, capture_output=True, check=True).stdout
        return len(out.split())

    total = len(tap.frames)
    assert total > 2000
    assert count("modbus") == total
    assert count("_ws.malformed") == 0
    assert count("modbus.func_code == 43") == 4
    assert count("modbus.exception_code == 2") == 1
