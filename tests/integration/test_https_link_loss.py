"""Real link loss: device and server in network namespaces of their own, joined by a cable that is pulled."""

import os
import re
import shutil
import subprocess
import time

import pytest

from nginx import Nginx

SERVER, DEVICE, MOVED = "10.77.0.1", "10.77.0.2", "10.77.0.3"
TIME_SCALE = 10


def ip(*arguments):
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


class Cable:
    """Two namespaces and a veth pair between them."""

    def __init__(self):
        self.server, self.device = (f"bess-{end}-{os.getpid()}" for end in ("srv", "dev"))

    def __enter__(self):
        try:
            return self._lay()
        except BaseException:
            self.__exit__()
            raise

    def _lay(self):
        for name in (self.server, self.device):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", self.server, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self.device)
        for name, address in ((self.server, SERVER), (self.device, DEVICE)):
            ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
            ip("-n", name, "link", "set", "cable", "up")
        return self

    def __exit__(self, *_):
        for name in (self.server, self.device):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def wait_for_listener(self, port):
        """nginx listens in its namespace, which this process does not see."""
        for _ in range(100):
            if f":{port} " in ip("netns", "exec", self.server, "ss", "-ltn"):
                return
            time.sleep(0.05)
        raise AssertionError("nginx does not listen")

    def pull(self):
        ip("-n", self.device, "link", "set", "cable", "down")

    def plug(self):
        ip("-n", self.device, "link", "set", "cable", "up")

    def move(self):
        """The modem has got another address."""
        ip("-n", self.device, "address", "del", f"{DEVICE}/24", "dev", "cable")
        ip("-n", self.device, "address", "add", f"{MOVED}/24", "dev", "cable")

    def sent(self):
        """Bytes that left the server's interface, headers and repetitions included."""
        text = ip("-s", "-n", self.server, "link", "show", "cable")
        return int(re.search(r"TX:.*\n\s*(\d+)", text)[1])


def can_make_namespaces():
    try:
        with Cable():
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


# 20 s TCP may mend by itself; after 50 s the device has noticed, gone, and come back by range.
@pytest.mark.parametrize("loss", ["down-for-20-s", "down-for-50-s", "other-address"])
def test_A18_update_survives(tmp_path, twin, shelf, authority, note, loss):
    if not can_make_namespaces():
        pytest.skip("needs the right to make network namespaces (root, CAP_SYS_ADMIN)")
    root = tmp_path / "www"
    root.mkdir()
    shutil.copy(shelf.image("newer", "1.1.0", padding=2600000), root / "bess.bin")
    size = (root / "bess.bin").stat().st_size
    certificate = authority.issue("cable", f"IP:{SERVER}")
    with Cable() as cable:
        nginx = Nginx(tmp_path, root, certificate, "limit_rate 500k;", address=SERVER,
                      wrapper=["ip", "netns", "exec", cable.server])
        twin.wrapper = ["ip", "netns", "exec", cable.device]
        with nginx:
            twin.power_on(sd=False, url=nginx.url(host=SERVER), ca=authority.certificate, time_scale=TIME_SCALE)
            twin.wait_for("firmware:")
            cable.wait_for_listener(nginx.port)
            assert twin.ask("start") == "ok"
            twin.wait_for_progress(25)
            if down := re.match(r"down-for-(\d+)-s", loss):
                cable.pull()
                time.sleep(int(down[1]) / TIME_SCALE)
                cable.plug()
            else:
                cable.move()
            twin.wait_for("READY_TO_APPLY", 40)
            seen = nginx.seen()
            sent = cable.sent()
        note(f"link loss, {loss}: {sent} bytes left the server for an image of {size} ({sent / size:.3f})")
        assert sent <= 1.1 * size, f"{sent} bytes sent for {size}"
        if loss != "down-for-20-s":
            assert len(seen) >= 2 and re.search(r'"bytes=[1-9]\d*-"', seen[-1])


def test_look_at_a_server_without_ranges_takes_little_off_the_wire(tmp_path, twin, shelf, authority, note):
    if not can_make_namespaces():
        pytest.skip("needs the right to make network namespaces (root, CAP_SYS_ADMIN)")
    root = tmp_path / "www"
    root.mkdir()
    shutil.copy(shelf.image("newer", "1.1.0", padding=2600000), root / "bess.bin")
    certificate = authority.issue("cable", f"IP:{SERVER}")
    with Cable() as cable:
        twin.wrapper = ["ip", "netns", "exec", cable.device]
        with Nginx(tmp_path, root, certificate, "max_ranges 0;", address=SERVER,
                   wrapper=["ip", "netns", "exec", cable.server]) as nginx:
            cable.wait_for_listener(nginx.port)
            twin.power_on(sd=False, url=nginx.url(host=SERVER), ca=authority.certificate)
            assert twin.ask("check") == "ok"
            twin.wait_for("UPDATE_AVAILABLE")
            time.sleep(0.3)
            sent = cable.sent()
            note(f"look at a server without ranges: {sent} bytes left the server")
            assert sent < 50000
            begin = time.monotonic()
            assert twin.ask("start") == "ok"
            twin.wait_for("READY_TO_APPLY")
            assert time.monotonic() - begin < 10
