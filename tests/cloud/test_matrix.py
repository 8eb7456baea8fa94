"""Every form of a job against every fault of the network, the broker and the service (aws.md 7.2): all end as they should, and
each fault has come to pass. -s prints the counts."""

import time

import pytest

from test_jobs import THING, by_stream, cloud, files, stages, thing  # noqa: F401  (fixtures)

SUCCEEDED, NEVER_RUNS, CANCELED = "SUCCEEDED", "never runs", "CANCELED"


def own_by_stream(cloud, image, name="own"):
    cloud.create_stream(name, image.read_bytes())
    return {"bess_ota": 1, "stream": {"id": name, "fileId": 0}, "size": image.stat().st_size}


def afr_by_url(files, image):
    return lambda: {"afr_ota": {"protocols": ["HTTP"], "files": [
        {"filepath": "/u", "filesize": image.stat().st_size, "fileid": 0, "certfile": "c",
         "update_data_url": files.fresh_url(), "auth_scheme": "aws.s3.presigned", "sig-sha256-rsa": "aa=="}]}}


def own_by_url(files, image):
    return lambda: {"bess_ota": 1, "url": files.fresh_url(), "size": image.stat().st_size}


FORMS = {"afr_ota-mqtt": lambda cloud, files, image: by_stream(cloud, image),
         "afr_ota-http": lambda cloud, files, image: afr_by_url(files, image),
         "own-mqtt": lambda cloud, files, image: own_by_stream(cloud, image),
         "own-mqtt-json": lambda cloud, files, image: own_by_stream(cloud, image),
         "own-http": lambda cloud, files, image: own_by_url(files, image)}

# Of blocks: only streams have them.
OF_BLOCKS = {"drop": ({"drop": 0.1}, SUCCEEDED), "duplicate": ({"duplicate": 0.3}, SUCCEEDED),
             "shuffle": ({"shuffle": 1}, SUCCEEDED), "delay": ({"delay": 0.1}, SUCCEEDED),
             "truncate": ({"truncate": 0.1}, SUCCEEDED), "wrong_number": ({"wrong_number": 0.1}, SUCCEEDED),
             "wrong_file": ({"wrong_file": 0.1}, SUCCEEDED), "wrong_token": ({"wrong_token": 0.1}, None),
             "flip": ({"flip": 0.05}, None), "change_version": ({"change_version": 0.2}, None)}
OF_THE_SERVICE = {"silent": ({"silent": 2}, SUCCEEDED), "throttled": ({"reject": ["RequestThrottled"] * 2 + [""]}, SUCCEEDED),
                  "internal": ({"reject": ["InternalError"] * 2 + [""]}, SUCCEEDED),
                  "answer-lost": ({"lose_update_answer": True}, SUCCEEDED), "kick": ({"kick": (4, THING)}, SUCCEEDED)}


def cells():
    for form in FORMS:
        of_form = {**(OF_BLOCKS if "mqtt" in form else {}), **OF_THE_SERVICE}
        for fault, (settings, end) in of_form.items():
            yield pytest.param(form, settings, end, id=f"{form}-{fault}")


@pytest.mark.parametrize("form, faults, end", cells())
def test_matrix(cloud, thing, files, shelf, form, faults, end):  # noqa: F811
    image = shelf.image("newer", "1.1.0")
    job = cloud.create_job(THING, "job-1", FORMS[form](cloud, files, image))
    cloud.faults.update({key: value.copy() if isinstance(value, list) else value for key, value in faults.items()})
    twin = thing(time_scale=40, json_streams=int(form.endswith("json")))
    deadline = time.monotonic() + 60
    while job.status not in ("SUCCEEDED", "FAILED", "REJECTED"):
        assert time.monotonic() < deadline, f"{job.status} {job.details}, {cloud.injected} faults"
        if cloud.injected >= 6:  # a kick or a silence that never ends is another test
            cloud.faults.pop("kick", None)
        time.sleep(0.05)
    assert cloud.injected >= 1
    told = [status for status, _ in job.history]
    assert sum(status in ("SUCCEEDED", "FAILED", "REJECTED") for status in told) == 1
    # What was tampered with is refused or fetched again, but never what runs in the end.
    assert end in (None, job.status), f"{job.status} {job.details}"
    if "mqtt" in form and cloud.blocks_sent:
        assert {topic.rsplit("/", 1)[1] for topic, _ in cloud.requests if topic.startswith("streams/")} == {
            "json" if form.endswith("json") else "cbor"}
    runs = twin.status()["slot"]
    assert runs == (1 if job.status == "SUCCEEDED" else 0)
    print(f"\n{form}: {job.status}, {cloud.injected} faults, {cloud.received} messages, {cloud.blocks_sent} blocks")


VARIANTS = {
    "32-KiB": lambda d: {**d, "note": "n" * (32768 - len(str(d)) - 200)},
    "unknown-members": lambda d: {"x": None, **d, "y": [1, {"z": True}], "z": {"a": {}}},
    "numbers-as-text": lambda d: {key: str(value) if key == "size" else value for key, value in d.items()},
    "as-text": lambda d: __import__("json").dumps(d),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_matrix_documents(cloud, thing, shelf, variant):  # noqa: F811
    document = VARIANTS[variant](own_by_stream(cloud, shelf.image("newer", "1.1.0")))
    job = cloud.create_job(THING, "job-1", lambda: document)
    thing().wait_for("CONFIRMED", 40)
    cloud.wait_for(job, "SUCCEEDED")


def test_matrix_document_that_is_nested_too_deep(cloud, thing, shelf):  # noqa: F811
    deep = {}
    for _ in range(40):
        deep = {"d": deep}
    twin = thing()
    cloud.create_job(THING, "deep", {**own_by_stream(cloud, shelf.image("newer", "1.1.0")), "deep": deep})
    time.sleep(3)
    assert twin.status()["slot"] == 0
    # The next job is not stood in the way of, once the owner takes this one back.
    cloud.cancel_job(THING, "deep")
    job = cloud.create_job(THING, "job-2", own_by_stream(cloud, shelf.image("newer", "1.1.0"), "s2"))
    cloud.wait_for(job, "SUCCEEDED", 60)


@pytest.mark.parametrize("stage", ["download 0", "download 50"])
@pytest.mark.parametrize("delete", [False, True], ids=["cancel", "delete"])
def test_matrix_taken_back(cloud, thing, shelf, stage, delete):  # noqa: F811
    cloud.faults["drop"] = 0.15
    twin = thing(time_scale=20)
    job = cloud.create_job(THING, "job-1", by_stream(cloud, shelf.image("newer", "1.1.0")))
    end = time.monotonic() + 60
    while ("IN_PROGRESS", stage) not in stages(job):
        assert time.monotonic() < end
        time.sleep(0.01)
    cloud.cancel_job(THING, "job-1", delete)
    twin.wait_for("canceled, deleted, or timed out", 40)
    assert twin.status()["slot"] == 0
