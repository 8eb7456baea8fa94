"""Serial lines and ports for tests of the field buses."""

import os
import socket
import subprocess
import time

from twin import die_with_parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Line:
    """Two pseudo terminals with a cable between them (socat)."""

    def __init__(self, folder):
        self.device = folder / "device.tty"
        self.master = folder / "master.tty"

    def __enter__(self):
        ends = [f"pty,raw,echo=0,link={end}" for end in (self.device, self.master)]
        self._socat = subprocess.Popen(["socat", *ends], preexec_fn=die_with_parent)
        for _ in range(200):
            if self.device.exists() and self.master.exists():
                # A cable stays when a device restarts; socat's would end with its last user.
                self._held = [os.open(end, os.O_RDWR | os.O_NOCTTY) for end in (self.device, self.master)]
                return self
            time.sleep(0.01)
        self._socat.kill()
        raise AssertionError("socat made no lines")

    def __exit__(self, *_):
        for end in self._held:
            os.close(end)
        self._socat.kill()
        self._socat.wait()


class CanSpace:
    """A network namespace in which python-can's udp_multicast frames stay."""

    GROUP = "239.74.163.2"

    def __init__(self, name):
        self.name = name
        self.wrapper = ["ip", "netns", "exec", name]

    def __enter__(self):
        self._ip("netns", "add", self.name)
        try:
            self._ip("-n", self.name, "link", "set", "lo", "up")
            self._ip("-n", self.name, "route", "add", "224.0.0.0/4", "dev", "lo")
        except subprocess.CalledProcessError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)

    def run(self, *command, **options):
        return subprocess.run([*self.wrapper, *map(str, command)], text=True, capture_output=True, **options)

    @staticmethod
    def _ip(*arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    @staticmethod
    def is_possible():
        name = f"bess-can-probe-{os.getpid()}"
        try:
            with CanSpace(name):
                return True
        except (OSError, subprocess.CalledProcessError):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
            return False
