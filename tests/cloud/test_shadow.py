"""Settings by the named shadow "ota": the twin against a stand-in on a real broker."""

import time

import pytest

from test_jobs import THING, by_stream, cloud  # noqa: F401
from test_jobs import thing as plain_thing  # noqa: F401


@pytest.fixture
def thing(plain_thing):  # noqa: F811
    return lambda **options: plain_thing(shadow=1, **options)


def wait_for(condition, what, timeout=20):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.05)


def wait_for_report(cloud, **members):
    wait_for(lambda: all(cloud.reported(THING).get(name) == value for name, value in members.items()),
             lambda: f"{cloud.reported(THING)} is not {members}")


def test_shadow_is_made_and_says_what_is_in_force(cloud, thing):
    thing(auto=0)
    wait_for_report(cloud, min_soc=30, max_temperature=45, min_temperature=0, max_current=10, automatic_update=False,
                    verify_signature=True, allow_rollback=True, rollback_timeout_s=300)
    assert "refused" not in cloud.reported(THING)


def test_shadow_is_stricter_only_and_says_what_was_refused(cloud, thing):
    thing()
    wait_for_report(cloud, min_soc=30)
    cloud.desire(THING, min_soc=60, max_temperature=50, verify_signature=False, window={"from": "22:00", "minutes": 240},
                 colour="blue", check_interval_s=5)
    wait_for_report(cloud, min_soc=60, max_temperature=45, verify_signature=True,
                    window={"from": "22:00", "minutes": 240})
    refused = dict(line.split(": ", 1) for line in cloud.reported(THING)["refused"])
    assert set(refused) == {"max_temperature", "verify_signature", "colour", "check_interval_s"}
    assert "looser" in refused["max_temperature"] and refused["colour"] == "unknown"
    # What stays refused is not talked about for ever.
    time.sleep(1)
    before = len(cloud.requests)
    time.sleep(3)
    assert len(cloud.requests) == before
    cloud.desire(THING, max_temperature=40, verify_signature=None, check_interval_s=None)
    wait_for_report(cloud, max_temperature=40, refused=["colour: unknown"])
    # What is taken out goes back, although no delta tells it.
    cloud.desire(THING, min_soc=None, colour=None)
    wait_for_report(cloud, min_soc=30, max_temperature=40)
    wait_for(lambda: "refused" not in cloud.reported(THING), lambda: str(cloud.reported(THING)))


def test_shadow_that_changed_while_the_device_was_off(cloud, thing, twin):
    thing()
    wait_for_report(cloud, min_soc=30)
    twin.kill()
    cloud.desire(THING, min_soc=50)
    thing()
    wait_for_report(cloud, min_soc=50)


@pytest.mark.parametrize("faults", [[("get", 429)], [("get", 500), ("get", 500)], [None], [("update", 429), ("update", 413)]],
                         ids=str)
def test_shadow_faults_of_the_service(cloud, thing, faults):
    cloud.faults["shadow"] = list(faults)
    thing(time_scale=20)
    wait_for_report(cloud, min_soc=30)


def test_shadow_is_not_touched_where_it_is_not_asked_for(cloud, plain_thing):
    plain_thing()
    wait_for(lambda: any(topic.startswith("jobs/") for topic, _ in cloud.requests), lambda: "no request")
    time.sleep(1)
    assert [topic for topic, _ in cloud.requests if topic.startswith("shadow/")] == []


def test_shadow_holds_a_job_back_until_its_window(cloud, thing, twin, shelf):
    now = time.gmtime()
    later = (now.tm_hour * 60 + now.tm_min + 120) % 1440
    thing()
    wait_for_report(cloud, min_soc=30)
    cloud.desire(THING, window={"from": f"{later // 60:02}:{later % 60:02}", "minutes": 60})
    wait_for_report(cloud, window={"from": f"{later // 60:02}:{later % 60:02}", "minutes": 60})
    job = cloud.create_job(THING, "job-1", by_stream(cloud, shelf.image("newer", "1.1.0")))
    time.sleep(4)
    assert job.history == []
    cloud.desire(THING, window=None)
    cloud.wait_for(job, "SUCCEEDED", 40)
