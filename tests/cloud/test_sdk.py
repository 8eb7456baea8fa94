"""The stand-in for AWS IoT, judged by a client that is not ours: AWS's own SDK goes through Jobs and a named shadow."""

import json
import os
import subprocess
from pathlib import Path

import pytest

if "CLOUD_BIN" not in os.environ:
    pytest.skip("awsiotsdk, from PyPI, is not here: ./check cloud brings it", allow_module_level=True)

from aws_stand_in import Cloud  # noqa: E402

THING = "bess-0042"
DOCUMENT = {"bess_ota": 1, "url": "https://localhost/a.bin"}


@pytest.fixture
def told(tmp_path, authority):
    """What the SDK made of the stand-in's answers."""
    cloud = Cloud(tmp_path, authority)
    own = authority.issue(THING)
    cloud.create_job(THING, "first", DOCUMENT)
    cloud.create_job(THING, "second", DOCUMENT)
    try:
        result = subprocess.run(
            [Path(os.environ["CLOUD_BIN"]) / "python", Path(__file__).with_name("sdk_client.py"),
             str(cloud.broker.port), authority.certificate, own.certificate, own.key, THING],
            text=True, capture_output=True, timeout=120)
    finally:
        cloud.close()
    assert result.returncode == 0, result.stdout + result.stderr
    assert cloud.violations == []
    out = {}
    for line in result.stdout.splitlines():
        out.update(json.loads(line))
    return out


def test_sdk_goes_through_jobs_and_shadow(told):
    assert told["pending"] == ["first", "second"]
    assert told["described"] == ["first", "QUEUED", 1, DOCUMENT]
    assert told["started"] == ["first", "IN_PROGRESS", 2, {"state": "started"}]
    assert told["stale"] == ["VersionMismatch", "IN_PROGRESS", 2]
    assert told["done"] == ["SUCCEEDED", 3]
    assert told["late"] == ["InvalidStateTransition", "SUCCEEDED"]
    assert told["next"] == "second"
    assert told["unknown"] == "ResourceNotFound"
    assert told["no_shadow"] == 404
    assert told["delta"] == [{"check_interval_s": 600}, 1]
    assert told["shadow"] == [{"check_interval_s": 600}, {"check_interval_s": 600}, 2]
