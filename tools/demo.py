"""What ./demo shows, with a table of what was seen at the end."""

import argparse
import re
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from twin import BUILD, Twin, TwinError, die_with_parent, make_image, otactl

COLOUR = sys.stdout.isatty()


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


class Demo:
    def __init__(self, folder, by_card):
        self.folder = Path(folder)
        self.by_card = by_card
        self.server = None
        self.rows = []
        self.begin = time.monotonic()

    @property
    def place(self):
        return "on the SD card" if self.by_card else "on the HTTPS server"

    def say(self, text):
        print("\n" + paint("1", text))

    @staticmethod
    def echo(line):
        shade = "36" if line.startswith("boot:") else "33" if line.startswith(("W ", "E ")) else "2"
        print("    " + paint(shade, line), flush=True)

    def row(self, what, seen):
        self.rows.append((what, seen))

    def publish(self, variant, version):
        """Puts a signed image where the device looks: on its card, or on the server in the place of the last one."""
        path = make_image(variant, version, self.folder / f"bess-{version}.bin", self.key)
        if self.by_card:
            shutil.copy(path, self.twin.sd)
        else:
            shutil.copy(path, self.www / "new")
            os.replace(self.www / "new", self.www / "latest.bin")

    def power_on(self, *options):
        source = {} if self.by_card else {"sd": False, "url": f"https://localhost:{self.port}/latest.bin",
                                          "ca": self.folder / "server" / "server.pem"}
        self.twin.power_on("--flash-timing", *options, auto=1, check_ms=500, **source)

    def start_server(self):
        """nginx with TLS, as `otactl serve` sets it up."""
        self.www = self.folder / "www"
        self.www.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.server = subprocess.Popen(
            [BUILD / "tools" / "otactl" / "otactl", "serve", self.www, "--port", str(self.port), "--state",
             self.folder / "server"], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent)
        threading.Thread(target=self.echo_server, daemon=True).start()
        for _ in range(100):
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
        raise TwinError("nginx does not start: try otactl serve by hand")

    def echo_server(self):
        for line in self.server.stdout:
            # The look every half a second at what is unchanged would fill the screen.
            if " 304 " not in line:
                print("    " + paint("35", "server: " + line.rstrip()), flush=True)

    def stop_server(self):
        if self.server:
            self.server.terminate()
            self.server.wait(10)

    def set_up(self):
        self.say("A battery storage system runs firmware 1.0.0 out of its flash. The flash is a file of 16 MiB with\n"
                 "ESP-IDF's layout; the firmware is a program inside the image that is in the slot.")
        self.key, public = self.folder / "release.pem", self.folder / "release.pub.pem"
        otactl("keygen", "--type", "rsa3072", self.key, public)
        self.twin = Twin(self.folder, public, self.echo)
        self.twin.sd.mkdir()
        base = make_image("good", "1.0.0", self.folder / "bess-1.0.0.bin", self.key)
        self.twin.create_flash(base)
        self.twin.battery.write_text("soc=80 t_min=18 t_max=24 current=2\n")
        print(otactl("inspect", base).stdout, end="")
        if not self.by_card:
            self.start_server()

    def good_update(self):
        self.say(f"1. A signed 1.1.0 is {self.place}. The firmware finds it, stages it, proves it, boots it on trial,\n"
                 "   and the new firmware confirms itself when its health probes pass.")
        self.publish("newer", "1.1.0")
        self.power_on("--watchdog-ms=1500")
        self.twin.wait_for("CONFIRMED")
        self.expect_slot(1)
        self.row("1.0.0 -> 1.1.0", "confirmed")

    def crashing_update(self):
        self.say("2. 1.2.0 crashes before it reaches its OTA manager. The bootloader gives it up after one boot.")
        self.publish("crashing", "1.2.0")
        line = self.twin.wait_for("REVERTED", timeout=30)
        self.twin.wait_for("reverted before")
        self.row("1.2.0 crashes", "1.1.0 is back: " + line.split("REVERTED: ")[1])

    def hanging_update(self):
        self.say("3. 1.2.1 hangs. The watchdog resets the chip, and the bootloader goes back.")
        self.publish("hanging", "1.2.1")
        line = self.twin.wait_for("REVERTED", timeout=30)
        self.twin.wait_for("reverted before")
        self.row("1.2.1 hangs", "1.1.0 is back: " + line.split("REVERTED: ")[1])

    def power_cut(self):
        self.say(f"4. 1.3.0 is {self.place}, and power is lost in the middle of staging: a page is torn.")
        self.twin.power_off()
        self.publish("newer", "1.3.0")
        self.power_on("--cut-at=260:bytes")
        if self.twin.wait_end(timeout=30) != 10:
            raise TwinError("power was not lost")
        self.say("   Power is back. What was durable is not read again.")
        self.power_on()
        line = self.twin.wait_for("downloaded")
        resumed = int(re.search(r"downloaded (\d+)", line)[1])
        if resumed == 0:
            raise TwinError("it started over")
        self.row("power cut while staging 1.3.0", f"resumed at {resumed} KiB, torn page written again")

    def low_battery(self):
        self.say("5. In the same download the charge falls to 12 %. The update waits, then goes on.")
        self.twin.battery.write_text("soc=12\n")
        line = self.twin.wait_for("PAUSED")
        time.sleep(1.5)
        self.twin.battery.write_text("soc=60\n")
        self.twin.wait_for("RESUMED")
        self.row("battery low in mid-download", line.split("PAUSED: ")[1] + "; paused, resumed")
        self.twin.wait_for("CONFIRMED", timeout=30)
        self.expect_slot(0)
        self.row("1.1.0 -> 1.3.0", "confirmed")

    def expect_slot(self, slot):
        status = self.twin.status()
        if status["slot"] != slot or status["trial"]:
            raise TwinError(f"the device runs from the wrong slot: {status}")

    def finish(self):
        if self.twin.power_off() != 0:
            raise TwinError("the twin did not end well")
        self.say("What the flash holds now (otactl flash show):")
        print(otactl("flash", "show", self.twin.flash).stdout, end="")
        self.say(f"Seen, in {time.monotonic() - self.begin:.0f} s:")
        width = max(len(what) for what, _ in self.rows)
        for what, seen in self.rows:
            print(f"  {paint('32', 'ok')}  {what:<{width}}  {seen}")

    def run(self):
        self.set_up()
        try:
            for act in (self.good_update, self.crashing_update, self.hanging_update, self.power_cut,
                        self.low_battery, self.finish):
                act()
        finally:
            self.twin.kill()
            self.stop_server()


def main():
    parser = argparse.ArgumentParser(prog="./demo", description=__doc__,
                                     epilog="exit codes: 0 everything was seen, 1 something was not")
    parser.add_argument("source", nargs="?", choices=["https", "card"], default="https",
                        help="where updates come from: nginx with TLS on this machine (default), or an SD card; ./demo aws is "
                        "another one, with three devices")
    parser.add_argument("--keep", metavar="DIR", help="work in DIR and leave flash file, keys and images there")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder is removed
    try:
        if options.keep:
            Path(options.keep).mkdir(parents=True)
            Demo(Path(options.keep).resolve(), options.source == "card").run()
        else:
            with tempfile.TemporaryDirectory(prefix="bess-demo-") as folder:
                Demo(folder, options.source == "card").run()
    except TwinError as error:
        print(paint("31", f"not as it should be: {error}"), file=sys.stderr)
        return 1
    except FileExistsError:
        print(f"{options.keep} is there already: name a new folder", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
