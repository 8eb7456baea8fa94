"""Our ISO-TP against can-isotp (pylessard): each message goes there and comes back, with every combination of who asks
for blocks and gaps, in classic frames and CAN FD."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / "build" / "host" / "tests" / "isotp_peer"
# Run in the venv, whose Python has the package: one message each line, then what came back.
SCRIPT = r"""
import queue, subprocess, sys, threading, time
import isotp
peer, frame_size, block, gap, our_block, our_gap, *sizes = sys.argv[1:]
frame_size = int(frame_size)
process = subprocess.Popen([peer, str(frame_size), our_block, our_gap], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
frames = queue.Queue()

def read():
    for line in process.stdout:
        number, data = line.split()
        frames.put(isotp.CanMessage(arbitration_id=int(number, 16), data=bytes.fromhex(data), extended_id=True,
                                    dlc=None, is_fd=frame_size > 8))

def receive(timeout=0):
    try:
        return frames.get(timeout=timeout) if timeout else frames.get_nowait()
    except queue.Empty:
        return None

def send(message):
    process.stdin.write(f"{message.arbitration_id:X} {bytes(message.data).hex()}\n")
    process.stdin.flush()

threading.Thread(target=read, daemon=True).start()
address = isotp.Address(isotp.AddressingMode.NormalFixed_29bits, source_address=0xF1, target_address=0x10)
parameters = {"stmin": int(gap), "blocksize": int(block), "can_fd": frame_size > 8, "tx_data_length": frame_size,
              "max_frame_size": 70000, "rx_flowcontrol_timeout": 3000, "rx_consecutive_frame_timeout": 3000}
errors = []
layer = isotp.TransportLayer(rxfn=receive, txfn=send, address=address, params=parameters, error_handler=errors.append)
layer.start()
for size in map(int, sizes):
    message = bytes((i * 13 + i // 256) % 256 for i in range(size))
    layer.send(message)
    answer = layer.recv(block=True, timeout=20)
    print(size, "same" if answer == message else f"other: {None if answer is None else len(answer)} {errors}", flush=True)
layer.stop()
process.stdin.close()
process.wait(5)
"""


@pytest.fixture(scope="session")
def isotp_python(interop_python):
    if subprocess.run([interop_python, "-c", "import isotp"], capture_output=True).returncode != 0:
        pytest.skip("can-isotp can't be installed from PyPI here")
    return interop_python


@pytest.mark.parametrize("frame_size", [8, 64])
@pytest.mark.parametrize("block, gap", [(0, 0), (8, 0), (3, 1)])
@pytest.mark.parametrize("our_block, our_gap", [(0, 0), (5, 0xF3)])
def test_messages_come_back_from_can_isotp(isotp_python, frame_size, block, gap, our_block, our_gap):
    sizes = [1, 6, 7, 8, 12, 61, 62, 63, 64, 300, 2050, 4095, 4096, 9000]
    if gap:
        sizes = [size for size in sizes if size <= 300]
    done = subprocess.run([isotp_python, "-c", SCRIPT, PEER, *map(str, (frame_size, block, gap, our_block, our_gap)),
                           *map(str, sizes)], text=True, capture_output=True, timeout=120)
    assert done.stdout.splitlines() == [f"{size} same" for size in sizes], done.stderr[-2000:]
