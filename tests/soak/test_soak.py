"""Real SIGKILLs of the device at random times, update after update. BESS_SOAK_SECONDS (default 60) says for how long,
BESS_SOAK_SEED repeats a run's random numbers."""

import os
import random
import re
import shutil
import time

GIVEN_UP = "this build was reverted before"


class Soak:
    def __init__(self, twin, shelf, seed):
        self.twin, self.shelf = twin, shelf
        self.random = random.Random(seed)
        self.confirmed = "1.0.0"  # the version that has to be there, whatever happens
        self.kills = self.updates = self.given_up = 0

    def offer(self, number):
        self.offered = f"1.{number}.0"
        image = self.shelf.image("newer" if number % 2 else "good", self.offered)
        shutil.copy(image, self.twin.sd / "bess.bin")

    def kill_at_a_random_time(self):
        # Most of an update without flash timing takes half a second: kill inside it, and in the trial.
        alive = self.random.uniform(0.01, 0.7)
        self.twin.power_on(auto=1, check_ms=50)
        begin = time.monotonic()
        self.twin.wait_for("boot: starting ota_")  # always something boots
        time.sleep(max(0, alive - (time.monotonic() - begin)))
        self.twin.kill()
        self.kills += 1

    def let_live(self):
        """Until the offer is confirmed, or given up and then asked for."""
        self.twin.power_on(auto=1, check_ms=200)

        def settled(status):
            report = status["report"]
            done = report["confirmed"] and report["version"] == self.offered
            return done or GIVEN_UP in status["detail"]
        status = self.twin.wait_until(settled, timeout=30)
        if not (status["report"]["confirmed"] and status["report"]["version"] == self.offered):
            # Three kills inside its trial: nobody's fault, so it may be asked for.
            assert status["report"]["reason"] == "power was lost in the trial window"
            self.given_up += 1
            assert self.twin.ask("start") == "ok"
            self.twin.wait_until(lambda s: s["report"]["confirmed"] and s["report"]["version"] == self.offered, 30)
        assert not self.twin.status()["trial"]
        self.twin.kill()
        self.confirmed = self.offered
        self.updates += 1
        self.check_flash()

    def check_flash(self):
        """The confirmed version is in a slot and is what otadata names, VALID."""
        flash = self.twin.inspect()
        versions = {name: slot["version"] for name, slot in flash["slots"].items() if slot != "no valid image"}
        assert self.confirmed in versions.values(), versions
        newest = max((e for e in flash["otadata"] if e.get("crc_ok")), key=lambda entry: entry["seq"])
        assert newest["state"] == "VALID" and versions[newest["slot"]] == self.confirmed


def test_random_kills(twin, shelf, note):
    seconds = float(os.environ.get("BESS_SOAK_SECONDS", "60"))
    seed = int(os.environ.get("BESS_SOAK_SEED", str(random.randrange(1 << 30))))
    soak = Soak(twin, shelf, seed)
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        number += 1
        soak.offer(number)
        for _ in range(soak.random.randint(3, 10)):
            soak.kill_at_a_random_time()
        soak.let_live()
    assert soak.updates > 0 and re.fullmatch(r"1\.\d+\.0", soak.confirmed)
    note(f"soak: {soak.kills} kills, {soak.updates} updates confirmed, {soak.given_up} of them after three kills in the "
         f"trial, bricked 0, seed {seed}")
