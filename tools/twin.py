"""Runs a device twin: bess_boot with its flash file, card and service connector. Used by ./demo and the
integration tests; Debian's python3 alone."""

import ctypes
import json
import os
import queue
import random
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# BESS_PRESET=asan runs the twin with sanitizers, once that preset is built.
BUILD = ROOT / "build" / os.environ.get("BESS_PRESET", "host")
VARIANTS = ["good", "newer", "crashing", "hanging", "failing", "fading"]


def die_with_parent():
    """In a child: SIGKILL when the parent ends, however it ends (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class TwinError(AssertionError):
    pass


def otactl(*arguments, check=True):
    result = subprocess.run([BUILD / "tools" / "otactl" / "otactl", *map(str, arguments)],
                            text=True, capture_output=True)
    if check and result.returncode != 0:
        raise TwinError(f"otactl {' '.join(map(str, arguments))}: {result.stderr.strip()}")
    return result


def make_image(variant, version, path, key=None, padding=0, **options):
    """Builds the variant's firmware into an image, and signs it unless key is None. padding makes it larger by so
    many bytes, which the program does not use."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    program = BUILD / "apps" / f"bess_sim_{variant}"
    with tempfile.NamedTemporaryFile() as padded:
        if padding:
            padded.write(program.read_bytes() + random.Random(padding).randbytes(padding))
            padded.flush()
        otactl("image", "build", "--version", version, *flags, padded.name if padding else program, path)
    if key is not None:
        otactl("image", "sign", "--key", key, path)
    return path


class Twin:
    """One device in a folder of its own: flash file, sd and usb directories, control socket."""

    def __init__(self, folder, public_key, echo=None):
        self.folder = Path(folder)
        self.flash = self.folder / "bess.flash"
        self.sd = self.folder / "sd"
        self.usb = self.folder / "usb"
        self.battery = self.folder / "battery"
        # A UNIX socket's path may have 107 characters; a test folder's may have more.
        self._sockets = tempfile.TemporaryDirectory(prefix="bess-")
        self.socket = Path(self._sockets.name) / "control"
        self.public_key = public_key
        self.echo = echo
        self.environment = {}
        self.wrapper = []  # a command to run the twin under, as ip netns exec
        self.process = None
        self.lines = []  # since power came
        self.all_lines = []  # of earlier power cycles
        self.had_credentials = False
        self._queue = queue.Queue()

    def create_flash(self, image, *options):
        otactl("flash", "create", "--app", image, *options, self.flash)

    def power_on(self, *boot_options, sd=True, usb=False, **firmware):
        self.drain()
        arguments = [f"key={self.public_key}", f"control={self.socket}", f"battery={self.battery}"]
        arguments += [f"sd={self.sd}"] if sd else []
        arguments += [f"usb={self.usb}"] if usb else []
        arguments += [f"{name.replace('_', '-')}={value}" for name, value in firmware.items()]
        self.process = subprocess.Popen(
            [*self.wrapper, BUILD / "apps" / "bess_boot", "--flash", self.flash, *map(str, boot_options), "--", *arguments],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=die_with_parent,
            env={**os.environ, "ASAN_OPTIONS": "handle_segv=0", **self.environment})  # a crash stays one under sanitizers
        self.all_lines += self.lines
        self.lines = []
        self.had_credentials |= bool({"user", "token", "header", "client"} & firmware.keys()) or "@" in str(firmware.get("url"))
        self._queue = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout, self._queue), daemon=True).start()
        return self

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    def wait_for(self, text, timeout=20):
        """The next line that contains text; TwinError when it does not come."""
        end = time.monotonic() + timeout
        while True:
            try:
                line = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                line = None
            else:
                if line is None:
                    self._queue.put(None)  # for drain()
            if line is None:
                raise TwinError(f"no line with '{text}' within {timeout} s; the last lines were:\n  "
                                + "\n  ".join(self.lines[-25:]))
            self.lines.append(line)
            if self.echo:
                self.echo(line)
            if text in line:
                return line

    def wait_for_progress(self, percent, timeout=20):
        """Until the download has come so far."""
        while int(re.search(r"\((\d+) %\)", self.wait_for("downloaded", timeout))[1]) < percent:
            pass

    def ask(self, command, timeout=5):
        """Sends a command to the service connector; retries until the firmware answers."""
        end = time.monotonic() + timeout
        with tempfile.TemporaryDirectory(prefix="bess-") as folder, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.bind(os.path.join(folder, "reply"))
            own.settimeout(0.5)
            while True:
                try:
                    own.sendto(command.encode(), str(self.socket))
                    reply = own.recv(4096).decode()
                    self.all_lines.append(reply)
                    return reply
                except OSError as error:
                    if time.monotonic() > end:
                        raise TwinError(f"the firmware does not answer '{command}': {error}") from error
                    time.sleep(0.05)

    def status(self):
        return json.loads(self.ask("status"))

    def wait_until(self, condition, timeout=20):
        """Polls the status until condition(status); returns it."""
        end = time.monotonic() + timeout
        while True:
            status = self.status()
            if condition(status):
                return status
            if time.monotonic() > end:
                raise TwinError(f"the status did not come: {status}")
            time.sleep(0.05)

    def power_off(self):
        """An orderly end; the exit code of bess_boot."""
        self.ask("off")
        return self.wait_end()

    def wait_end(self, timeout=20):
        code = self.process.wait(timeout)
        while True:
            line = self._queue.get(timeout=5)
            if line is None:
                self._queue.put(None)  # for drain()
                return code
            self.lines.append(line)
            if self.echo:
                self.echo(line)

    def drain(self):
        """Takes what the ended process wrote and nobody waited for."""
        if self.process is None or self.process.poll() is None:
            return
        while (line := self._queue.get(timeout=5)) is not None:
            self.lines.append(line)
        self._queue.put(None)

    def kill(self):
        """Pulls the plug without asking; also the way to clean up."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def inspect(self):
        return json.loads(otactl("flash", "show", "--json", self.flash).stdout)
