"""Fleet provisioning: a twin with a claim becomes a thing with a key of its own, and takes its first job."""

import os
import subprocess
import time

import pytest

from aws_stand_in import Cloud
from test_jobs import by_stream

SERIAL = "serial-7"


@pytest.fixture
def cloud(tmp_path, authority):
    made = Cloud(tmp_path, authority)
    made.templates["bess"] = lambda parameters: parameters["SerialNumber"]
    yield made
    made.close()
    assert made.violations == []


@pytest.fixture
def new_device(twin, cloud, authority, tmp_path):
    claim = authority.issue("claim", "DNS:claim").combined()

    def power_on(**options):
        return twin.power_on(**{"sd": False, "aws": f"localhost:{cloud.broker.port}", "ca": authority.certificate,
                                "provision": "bess", "claim": claim, "identity": tmp_path / "identity",
                                "serial-number": SERIAL, "auto": 1, **options})
    return power_on


def created(cloud):
    return sum(topic.startswith("$aws/certificates/") for topic, _ in cloud.requests)


def test_new_device_becomes_a_thing_and_takes_its_first_job(cloud, new_device, twin, shelf, tmp_path):
    job = cloud.create_job(SERIAL, "first", by_stream(cloud, shelf.image("newer", "1.1.0")))
    new_device().wait_for(f"this is the thing {SERIAL}", 30)
    twin.wait_for("CONFIRMED", 40)
    cloud.wait_for(job, "SUCCEEDED")
    # After the restarts of the update it was the same thing, and asked for no other certificate.
    assert created(cloud) == 1 and len(cloud.active) == 1
    folder = tmp_path / "identity"
    assert [path.name for path in folder.iterdir()] == ["current"]
    assert os.stat(folder / "current").st_mode & 0o077 == 0
    # The key has not left the device.
    assert not any(b"PRIVATE" in (body if isinstance(body, bytes) else b"") for _, body in cloud.requests)


def test_request_is_what_openssl_expects(cloud, new_device, twin):
    import json
    new_device().wait_for("this is the thing", 30)
    request = next(json.loads(body)["certificateSigningRequest"] for topic, body in cloud.requests
                   if topic.startswith("$aws/certificates/"))
    said = subprocess.run(["openssl", "req", "-verify", "-noout", "-text"], input=request, text=True, capture_output=True,
                          check=True)
    assert "verify OK" in said.stderr and f"CN = {SERIAL}" in said.stdout
    assert "prime256v1" in said.stdout and "ecdsa-with-SHA256" in said.stdout


@pytest.mark.parametrize("after", ["certificates", "provisioning-templates"])
def test_power_lost_in_the_middle_costs_no_second_thing(cloud, new_device, twin, after):
    cloud.faults["provision"] = [None, None] if after == "provisioning-templates" else [None, 503, 503, 503, 503, 503]
    new_device()
    end = time.monotonic() + 20
    while not any(f"$aws/{after}/" in topic for topic, _ in cloud.requests):
        assert time.monotonic() < end
        time.sleep(0.005)
    twin.kill()
    cloud.faults.clear()
    new_device().wait_for("this is the thing", 60)
    assert created(cloud) <= 2 and len(cloud.active) <= 2
    twin.kill()
    made = created(cloud)
    new_device().wait_for("this is the thing", 20)
    assert created(cloud) == made


def test_throttled_and_failing_service_is_waited_for(cloud, new_device):
    cloud.faults["provision"] = [429, 500, None, 503]
    new_device(time_scale=4).wait_for("this is the thing", 60)
    assert len(cloud.active) == 1


def test_device_that_the_hook_refuses_says_why(cloud, new_device):
    cloud.templates["bess"] = lambda parameters: None
    assert "check the template" in new_device().wait_for("not provisioned", 40)
    assert created(cloud) <= 2


def test_claim_of_nobody_is_told(cloud, new_device, authority, tmp_path):
    from certificates import Authority
    (tmp_path / "elsewhere").mkdir()
    stranger = Authority(tmp_path / "elsewhere", "stranger").issue("claim", "DNS:claim").combined()
    line = new_device(claim=stranger, time_scale=100).wait_for("not provisioned", 60)
    assert "certificate" in line
    assert created(cloud) == 0
