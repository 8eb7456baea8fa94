#!/usr/bin/env python3
"""A fleet on one broker and one nginx: every unit is updated by a job, half by a stream and half by a URL; then every
unit, powered at the same moment, checks a URL each hour (of its time), and the requests have to be spread."""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "cloud")]

from aws_stand_in import Cloud  # noqa: E402
from certificates import Authority  # noqa: E402
from nginx import Nginx  # noqa: E402
from twin import die_with_parent  # noqa: E402

PROGRAM = ROOT / "build" / "host" / "tests" / "scale"
PER_PROCESS = 200  # libmosquitto takes three descriptors a connection, and only those below 1,024
HOUR = 8  # s that an hour of the checking units takes
MOST_PEAK = 2.0


def say(text):
    print(text, flush=True)


def start(units, *arguments):
    """The units as processes."""
    return [subprocess.Popen([PROGRAM, "--first", str(first), "--units", str(min(PER_PROCESS, units - first)),
                              *map(str, arguments)], stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
            for first in range(0, units, PER_PROCESS)]


def results(processes):
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("a process of the fleet failed")
    return [json.loads(output) for output in outputs]


def update(units, seconds, folder, authority, nginx):
    """All of them by jobs."""
    package = folder / "www" / "1.1.0.bin"
    size = package.stat().st_size
    cloud = Cloud(folder, authority, fleet="fleet")
    cloud.create_stream("fw", package.read_bytes())
    forms = [{"bess_ota": 1, "stream": {"id": "fw", "fileId": 0}, "size": size},
             {"bess_ota": 1, "url": nginx.url("1.1.0.bin", "localhost"), "size": size}]
    jobs = [cloud.create_job(f"unit-{i}", "fleet-1-1-0", forms[i % 2]) for i in range(units)]
    processes = start(units, "--broker", cloud.broker.port, "--authority", authority.certificate, "--identity",
                      authority.issue("fleet", "DNS:fleet").combined(), "--seconds", seconds, "--time-scale", 2)
    shown = time.monotonic()
    while any(process.poll() is None for process in processes):
        time.sleep(0.2)
        if time.monotonic() - shown >= 5:
            shown = time.monotonic()
            say(f"  {sum(job.status == 'SUCCEEDED' for job in jobs)} of {units} updated")
    parts = results(processes)
    cloud.close()
    done = sum(job.status == "SUCCEEDED" for job in jobs)
    once = all([status for status, _ in job.history].count("SUCCEEDED") <= 1 for job in jobs)
    served = sum(int(line.split()[1]) for line in nginx.seen() if "1.1.0.bin" in line)
    return {"units": units, "updated": min(done, sum(part["done"] for part in parts)), "told once": once,
            "violations": cloud.violations[:5], "seconds": max(part["seconds"] for part in parts),
            "core KiB per unit": parts[0]["core_bytes"] / 1024,
            "process KiB per unit": sum(part["resident_kib"] - part["flash_kib"] for part in parts) / units,
            "messages to the service per unit": cloud.received / units,
            "messages from the service per unit": cloud.sent / units,
            "bytes by stream / image": cloud.blocks_sent * 4096 / size / max(1, (units + 1) // 2),
            "bytes by URL / image": served / size / max(1, units // 2)}


def spread(units, hours, folder, authority, nginx):
    """Requests by tenths of an hour, from an hour and a half on: until then this machine works off every unit's start."""
    times = folder / "nginx" / "times.log"
    begin = time.time()
    processes = start(units, "--check-url", nginx.url("1.0.0.bin", "localhost"), "--authority", authority.certificate,
                      "--time-scale", 3600 // HOUR, "--seconds", int(HOUR * (hours + 1.5)))
    results(processes)
    bins = [0] * (10 * hours)
    for line in times.read_text().splitlines():
        tenth = math.floor((float(line.split()[0]) - begin - 1.5 * HOUR) * 10 / HOUR)
        if line.endswith("/1.0.0.bin") and 0 <= tenth < len(bins):
            bins[tenth] += 1
    mean = sum(bins) / len(bins)
    return {"checks": sum(bins), "checks per unit and hour": sum(bins) / units / hours,
            "busiest tenth of an hour / mean": max(bins) / mean if mean else float("inf")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog="exit codes: 0 all updated and the checks are spread, 1 not")
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--hours", type=int, default=3, help="of checks that are counted")
    parser.add_argument("--seconds", type=int, default=600, help="how long the updates may take")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "www").mkdir()
        for version in ("1.0.0", "1.1.0"):
            subprocess.run([PROGRAM, "--write-package", folder / "www" / f"{version}.bin", "--version", version], check=True)
        authority = Authority(folder)
        with Nginx(folder, folder / "www", authority.issue("files"), connections=4096,
                   http=f"log_format times '$msec $uri'; access_log {folder}/nginx/times.log times;") as nginx:
            found = update(options.units, options.seconds, folder, authority, nginx)
            found.update(spread(options.units, options.hours, folder, authority, nginx))
    if options.json:
        say(json.dumps(found))
    else:
        for what, value in found.items():
            say(f"  {what}: {value:.2f}" if isinstance(value, float) else f"  {what}: {value}")
    good = (found["updated"] == options.units and found["told once"] and not found["violations"]
            and found["checks per unit and hour"] > 0.9 and found["busiest tenth of an hour / mean"] <= MOST_PEAK)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
