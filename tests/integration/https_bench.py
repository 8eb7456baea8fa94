"""A twin with an HTTPS server that can misbehave."""

import time

from scripted_server import ScriptedServer
from twin import TwinError

RETRY_SPEED = 30  # the device's time runs faster, so that its back-off does not take the test's


class Bench:
    """A twin with a scripted server."""

    def __init__(self, twin, shelf, authority, server_certificate):
        self.twin = twin
        self.server = ScriptedServer(server_certificate, shelf.image("newer", "1.1.0").read_bytes())
        self.server.other = shelf.image("newer", "1.2.0").read_bytes()
        self.authority = authority

    def power_on(self, url=None, **options):
        options = {"time_scale": RETRY_SPEED, **options}
        self.twin.power_on(sd=False, url=url or self.server.url(), ca=self.authority.certificate, **options)

    def staged(self):
        """The bytes at the start of the standby slot."""
        offset = next(int(p["offset"], 0) for p in self.twin.inspect()["partitions"] if p["label"] == "ota_1")
        with self.twin.flash.open("rb") as flash:
            flash.seek(offset)
            return flash.read(len(self.server.body))

    def offered(self, timeout=20):
        """A check; the line that it ends with."""
        assert self.twin.ask("check") == "ok"
        while "CHECKING" in (line := self.twin.wait_for("ota_manager: ", timeout)):
            pass
        return line

    def update(self, timeout=40):
        """One attempt to READY_TO_APPLY; the failure's line, or None."""
        assert self.twin.ask("start") == "ok"
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            line = self.twin.wait_for("ota_manager: ", timeout)
            if "READY_TO_APPLY" in line:
                return None
            if "FAILED" in line or "IDLE" in line:
                return line
        raise TwinError("the update did not end")
