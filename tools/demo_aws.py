"""What ./demo aws shows: three devices, a broker with mutual TLS and stand-ins for AWS IoT and CloudWatch on this machine.
A job is rolled out in stages, a bad one is stopped by its canary, a shadow changes settings, the logs come together."""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "cloud")]

from demo import paint  # noqa: E402
from twin import Twin, TwinError, make_image, otactl  # noqa: E402

SITES = ["bergen", "oslo", "tromso"]
GROUP = "/bess/ota"


class FleetDemo:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.rows = []
        self.begin = time.monotonic()
        self.twins = {}
        self.closing = []

    def say(self, text):
        print("\n" + paint("1", text), flush=True)

    def set_up(self):
        # Not above: --help is there before the packages that these take.
        from aws_stand_in import Cloud
        from certificates import Authority
        from logs_stand_in import Logs, credentials_server
        self.say("Three battery storage systems run 1.0.0. Each has a certificate of its own; a broker that lets each see its own\n"
                 "topics alone stands for AWS IoT.")
        self.key, public = self.folder / "release.pem", self.folder / "release.pub.pem"
        otactl("keygen", self.key, public)
        authority = Authority(self.folder)
        self.cloud = Cloud(self.folder, authority)
        self.closing.append(self.cloud.close)
        self.logs = Logs(authority.issue("logs"))
        self.logs.groups[GROUP] = {}
        self.closing.append(self.logs.close)
        provider = credentials_server(self.folder, authority, authority.issue("provider")).start()
        self.closing.append(provider.stop)
        base = make_image("good", "1.0.0", self.folder / "bess-1.0.0.bin", self.key)
        for site in SITES:
            home = self.folder / site
            home.mkdir()
            twin = self.twins[site] = Twin(home, public)
            self.closing.append(twin.kill)
            twin.create_flash(base)
            twin.battery.write_text("soc=80 t_min=18 t_max=24 current=2\n")
            twin.power_on("--flash-timing", sd=False, auto=1, shadow=1, thing=site, time_scale=4,
                          aws=f"localhost:{self.cloud.broker.port}", ca=authority.certificate,
                          client=authority.issue(site, f"DNS:{site}").combined(),
                          cloudwatch=f"localhost:{self.logs.port}", credentials=f"localhost:{provider.port}",
                          **{"log-group": GROUP})
            twin.wait_for("firmware:")
        self.wait(lambda: all(self.cloud.reported(site) for site in SITES), "the devices do not reach the broker")

    @staticmethod
    def wait(condition, otherwise, timeout=30):
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise TwinError(otherwise)
            time.sleep(0.05)

    def roll_out(self, variant, version):
        """Follows it to its end, a line for each change."""
        from rollout import Rollout
        image = make_image(variant, version, self.folder / f"bess-{version}.bin", self.key)
        name = f"fw-{version.replace('.', '-')}"
        self.cloud.create_stream(name, image.read_bytes())
        document = {"bess_ota": 1, "stream": {"id": name, "fileId": 0}, "size": image.stat().st_size}
        rollout = Rollout(self.cloud, f"bess-{version.replace('.', '-')}", SITES, document)
        seen = {}
        end = time.monotonic() + 90
        while rollout.step() or seen != {site: rollout.status(site) for site in SITES}:
            for site in SITES:
                status = rollout.status(site)
                if seen.get(site) != status:
                    shade = "32" if "SUCCEEDED" in status else "31" if "FAILED" in status or "abort" in status else "2"
                    print(f"    {time.monotonic() - self.begin:5.1f} s  {site:<8}{paint(shade, status)}", flush=True)
                seen[site] = status
            if time.monotonic() > end:
                raise TwinError(f"{version} is not rolled out: {seen}")
            time.sleep(0.1)
        return rollout

    def good_job(self):
        self.say("1. A job with 1.1.0: one device first, as canary; twice as many when it has confirmed the new firmware.")
        rollout = self.roll_out("newer", "1.1.0")
        statuses = [execution.status for execution in rollout.executions.values()]
        if statuses != ["SUCCEEDED"] * 3:
            raise TwinError(f"1.1.0: {statuses}")
        self.rows.append(("1.1.0 for three, in stages", "bergen first, then oslo and tromso; confirmed by all"))

    def bad_job(self):
        self.say("2. A job with 1.2.0, which starts well and then finds itself unhealthy. The canary goes back by itself, and says\n"
                 "   so; the job is aborted before another device has touched it.")
        rollout = self.roll_out("failing", "1.2.0")
        if not rollout.is_aborted or list(rollout.executions) != SITES[:1]:
            raise TwinError("the job was not aborted")
        slots = [(twin.status()["slot"], twin.status()["trial"]) for twin in self.twins.values()]
        if slots != [(1, False)] * 3:  # where 1.1.0 is
            raise TwinError(f"a device has left 1.1.0: slot and trial are {slots}")
        self.rows.append(("1.2.0 is unhealthy", "bergen is back on 1.1.0; aborted, two devices untouched"))

    def settings(self):
        self.say("3. The owner asks for more charge before an update, and for something that only a release may change.")
        for site in SITES:
            self.cloud.desire(site, min_soc=50, verify_signature=False)
        self.wait(lambda: all(self.cloud.reported(site).get("min_soc") == 50 for site in SITES), "min_soc is not in force")
        refused = self.cloud.reported(SITES[0])["refused"]
        print(f"    reported by {SITES[0]}: min_soc 50, refused {refused}")
        self.rows.append(("min_soc 50 by a shadow", "in force on three; " + refused[0]))

    def log(self):
        self.say("4. What the devices wrote is in CloudWatch: PutLogEvents with Signature Version 4, checked by botocore.")
        self.wait(lambda: all("CONFIRMED" in self.logs.text(stream=site) for site in SITES)
                  and "REVERTED" in self.logs.text(stream=SITES[0]), "a log is missing")
        for line in self.logs.text(stream=SITES[0]).splitlines()[-4:]:
            print("    " + paint("2", f"{SITES[0]}: {line}"))
        lines = [len(self.logs.events(stream=site)) for site in SITES]
        if self.logs.violations or self.cloud.violations:
            raise TwinError(f"against AWS's rules: {self.logs.violations} {self.cloud.violations}")
        self.rows.append(("logs of three devices", f"{sum(lines)} lines in {self.logs.requests.count('PutLogEvents')} requests"))

    def finish(self):
        self.say(f"Seen, in {time.monotonic() - self.begin:.0f} s:")
        width = max(len(what) for what, _ in self.rows)
        for what, seen in self.rows:
            print(f"  {paint('32', 'ok')}  {what:<{width}}  {seen}")

    def run(self):
        try:
            self.set_up()
            for act in (self.good_job, self.bad_job, self.settings, self.log, self.finish):
                act()
        finally:
            for close in reversed(self.closing):
                close()


def main():
    parser = argparse.ArgumentParser(prog="./demo aws", description=__doc__,
                                     epilog="exit codes: 0 everything was seen, 1 something was not")
    parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder is removed
    with tempfile.TemporaryDirectory(prefix="bess-demo-") as folder:
        try:
            FleetDemo(folder).run()
        except TwinError as error:
            print(paint("31", f"not as it should be: {error}"), file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
