"""Images pushed over CAN by testers of other makers, by docs/can-profile.md alone: udsoncan over can-isotp and python-can,
and Scapy's own ISO-TP and UDS; and what tshark says of the frames."""

import os
import signal
import struct
import subprocess

import pytest

from field_bus import CanSpace
from twin import BUILD, Twin, die_with_parent

GROUP = CanSpace.GROUP
UDSONCAN = r"""
import hashlib, sys, time
import can, isotp, udsoncan
from udsoncan.client import Client
from udsoncan.connections import PythonIsoTpConnection
path, log = sys.argv[1:]
package = open(path, "rb").read()
bus = can.Bus(interface="udp_multicast", channel="239.74.163.2", hop_limit=0, fd=False)
writer = can.Logger(log)
address = isotp.Address(isotp.AddressingMode.Normal_29bits, txid=0x1CDA10F1, rxid=0x1CDAF110)
notifier = can.Notifier(bus, [writer])
stack = isotp.NotifierBasedCanStack(bus, notifier, address=address, params={
    "stmin": 1, "blocksize": 8, "rx_flowcontrol_timeout": 2000, "rx_consecutive_frame_timeout": 2000,
    "tx_padding": 0xCC})
config = dict(udsoncan.configs.default_client_config)
config.update(request_timeout=30, p2_timeout=2, p2_star_timeout=6, use_server_timing=False, exception_on_negative_response=False,
              data_identifiers={0xF195: udsoncan.AsciiCodec(5), 0xF1A1: ">32sIII", 0xF184: ">14s"})
with Client(PythonIsoTpConnection(stack), config=config) as client:
    assert client.change_session(3).positive
    version = client.read_data_by_identifier(0xF195)
    assert version.positive and version.service_data.values[0xF195] == "1.0.0", version
    assert client.start_routine(0x0203).positive
    assert client.change_session(2).positive
    seed = client.request_seed(0x11)
    assert seed.positive and not any(seed.service_data.seed)  # the door is open
    location = udsoncan.MemoryLocation(0, len(package), 32, 32)
    answer = client.request_download(location)
    assert answer.positive and answer.service_data.max_length == 2050, answer
    counter = at = 0
    size = 512
    while at < len(package):
        counter = (counter + 1) % 256
        answer = client.transfer_data(counter, package[at:at + size])
        assert answer.positive, answer
        at += size
    # A block that is not due is refused, and ends nothing.
    assert client.transfer_data((counter + 2) % 256, b"x").code == 0x73
    assert client.request_transfer_exit().positive
    check = client.start_routine(0x0202)
    assert check.positive and check.data[3:] == b"\0", check
    assert client.ecu_reset(1).positive
notifier.stop()
writer.stop()
bus.shutdown()
print("pushed", len(package))
"""
SCAPY = r"""
import os, sys
from scapy.all import conf
conf.contribs["CANSocket"] = {"use-python-can": True}
conf.contribs["ISOTP"] = {"use-can-isotp-kernel-module": False}
from scapy.contrib.cansocket import CANSocket
from scapy.contrib.isotp import ISOTPSocket
from scapy.contrib.automotive.uds import (UDS, UDS_DSC, UDS_ER, UDS_RC, UDS_RD, UDS_RDBI, UDS_RTE, UDS_TD)
path = sys.argv[1]
package = open(path, "rb").read()
bus = CANSocket(bustype="udp_multicast", channel="239.74.163.2", can_filters=[{"can_id": 0x1CDAF110, "can_mask": 0x1FFFFFFF,
                                                                             "extended": True}])
link = ISOTPSocket(bus, tx_id=0x1CDA10F1, rx_id=0x1CDAF110, basecls=UDS, padding=True)

def ask(request, timeout=6):
    # "Response pending" comes first where it has to.
    answer = link.sr1(request, timeout=timeout, verbose=False)
    while answer is not None and answer.service == 0x7F and answer.negativeResponseCode == 0x78:
        got = link.sniff(count=1, timeout=timeout)
        answer = got[0] if got else None
    assert answer is not None and answer.service == request.service + 0x40, (request, answer)
    return answer

ask(UDS() / UDS_DSC(diagnosticSessionType=2))
assert bytes(ask(UDS() / UDS_RDBI(identifiers=[0xF195])))[3:] == b"1.0.0"
held = bytes(ask(UDS() / UDS_RDBI(identifiers=[0xF1A1])))[3:]
begin = int.from_bytes(held[36:40], "big")
assert 0 < begin < len(package), begin
ask(UDS() / UDS_RD(memorySizeLen=4, memoryAddressLen=4, memoryAddress4=begin, memorySize4=len(package) - begin))
counter = 0
for at in range(begin, len(package), 1024):
    counter = (counter + 1) % 256
    ask(UDS() / UDS_TD(blockSequenceCounter=counter, transferRequestParameterRecord=package[at:at + 1024]))
ask(UDS() / UDS_RTE())
assert bytes(ask(UDS() / UDS_RC(routineControlType=1, routineIdentifier=0x0202)))[-1] == 0
ask(UDS() / UDS_ER(resetType=1))
print("pushed", len(package) - begin, flush=True)
os._exit(0)  # Scapy's threads would stay
"""


@pytest.fixture
def space():
    if not CanSpace.is_possible():
        pytest.skip("no right to make network namespaces")
    with CanSpace(f"bess-can-interop-{os.getpid()}") as made:
        yield made


@pytest.fixture
def device(tmp_path, images, space):
    made = Twin(tmp_path, images["public"])
    made.create_flash(images["1.0.0"])
    made.wrapper = space.wrapper
    yield made
    made.kill()


def on_can(device, *boot):
    device.power_on(*boot, sd=False, can=f"udp:{GROUP}", can_load=100)
    device.wait_for("firmware:")


def runs_the_new_one(device):
    device.wait_for("starting ota_1")
    device.wait_for("CONFIRMED")


def test_udsoncan_and_can_isotp(device, images, space, interop_python, tmp_path):
    on_can(device)
    log = tmp_path / "frames.asc"
    done = space.run(interop_python, "-c", UDSONCAN, images["1.1.0"], log, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    runs_the_new_one(device)
    check_with_tshark(log, tmp_path)


def test_scapy_goes_on_where_another_tester_was(device, images, space):
    """It takes minutes for a whole image, so that otactl begins."""
    on_can(device, "--flash-timing")
    first = subprocess.Popen([*space.wrapper, BUILD / "tools" / "otactl" / "otactl", "push", "can", "--interface",
                              f"udp:{GROUP}", images["1.1.0"]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             preexec_fn=die_with_parent)
    device.wait_for_progress(80)
    first.send_signal(signal.SIGINT)
    assert first.wait(20) == 7
    done = space.run("/usr/bin/python3", "-c", SCAPY, images["1.1.0"], timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    runs_the_new_one(device)


def check_with_tshark(log, folder):
    """Our frames as python-can logged them, in a capture with SocketCAN's link type (227)."""
    capture = folder / "frames.pcap"
    frames = []
    for line in log.read_text().splitlines():
        parts = line.split()
        if len(parts) > 5 and parts[2].endswith("x") and parts[4] == "d":
            frames.append((int(parts[2][:-1], 16), bytes.fromhex("".join(parts[6:6 + int(parts[5])]))))
    assert len(frames) > 1000
    with capture.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 227))
        for i, (number, data) in enumerate(frames):
            frame = struct.pack(">IB3x", number | 0x80000000, len(data)) + data
            out.write(struct.pack("<IIII", i // 1000, i % 1000 * 1000, len(frame), len(frame)) + frame)

    def count(expression):
        text = subprocess.run(
            ["tshark", "-r", capture, "-d", "can.subdissector,iso15765",
             "-Y", expression, "-T", "fields", "-e", "frame.number"], text=True, capture_output=True, check=True).stdout
        return len(text.split())

    assert count("iso15765") == len(frames)
    assert count("_ws.malformed") == 0
    assert count("can.id == 0x1CDAF110") > 100
