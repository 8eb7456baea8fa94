"""What the README shows of a fleet, and the rollout that it needs."""

import subprocess
import sys

from aws_stand_in import Execution
from rollout import Rollout
from twin import ROOT


def test_demo_aws_shows_everything():
    result = subprocess.run(["/usr/bin/python3", ROOT / "tools" / "demo_aws.py"], text=True, capture_output=True, timeout=150,
                            check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr
    summary = result.stdout[result.stdout.index("Seen, in "):]
    assert summary.count("ok  ") == 4
    assert "aborted, two devices untouched" in summary and "FAILED (left again: a health probe failed)" in result.stdout


def test_demo_aws_help_needs_nothing():
    result = subprocess.run([sys.executable, ROOT / "tools" / "demo_aws.py", "--help"], text=True, capture_output=True, check=True)
    assert "three devices" in result.stdout


class Queue:
    """Takes jobs, and ends them as it is told."""

    def __init__(self):
        self.given = []

    def create_job(self, thing, job, document):
        self.given.append(thing)
        return Execution(job, document)

    def cancel_job(self, thing, job):
        self.canceled = [*getattr(self, "canceled", []), thing]


def test_rollout_grows_with_success_and_ends():
    queue = Queue()
    rollout = Rollout(queue, "j", [f"t{i}" for i in range(10)], {})
    sizes = []
    while rollout.step():
        new = [e for e in rollout.executions.values() if e.status == "QUEUED"]
        sizes.append(len(new))
        for execution in new:
            execution.status = "SUCCEEDED"
    assert sizes == [1, 2, 4, 3] and queue.given == [f"t{i}" for i in range(10)]
    assert rollout.status("t0") == "SUCCEEDED"


def test_rollout_is_aborted_with_what_has_not_ended():
    queue = Queue()
    rollout = Rollout(queue, "j", ["a", "b", "c", "d", "e"], {}, first=3, minimum=1)
    rollout.step()
    rollout.executions["a"].status = "REJECTED"
    assert not rollout.step() and queue.canceled == ["b", "c"] and queue.given == ["a", "b", "c"]
    assert rollout.status("d") == "not started: aborted"
