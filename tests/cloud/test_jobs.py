"""Updates by AWS IoT Jobs: the twin against a stand-in on a real broker."""

import base64
import time

import pytest

from aws_stand_in import Cloud
from certificates import openssl

THING = "bess-0042"


@pytest.fixture
def cloud(tmp_path, authority):
    made = Cloud(tmp_path, authority)
    yield made
    made.close()
    assert made.violations == []


@pytest.fixture
def thing(twin, cloud, authority):
    certificate = authority.issue(THING, f"DNS:{THING}").combined()

    def power_on(**options):
        twin.power_on(sd=False, aws=f"localhost:{cloud.broker.port}", thing=THING, ca=authority.certificate,
                      client=certificate, **{"auto": 1, **options})
        twin.wait_for("firmware:")
        return twin
    return power_on


def by_stream(cloud, image, name="fw"):
    cloud.create_stream(name, image.read_bytes())
    return {"afr_ota": {"protocols": ["MQTT"], "streamname": name, "files": [
        {"filepath": "/update", "filesize": image.stat().st_size, "fileid": 0, "certfile": "code.pem",
         "sig-sha256-ecdsa": "MEUCIQ=="}]}}


def stages(execution):
    return [(status, *details.values()) for status, details in execution.history]


def test_job_by_stream_from_creation_to_success(cloud, thing, shelf):
    twin = thing()
    image = shelf.image("newer", "1.1.0")
    job = cloud.create_job(THING, "job-1", by_stream(cloud, image))
    twin.wait_for("CONFIRMED", 40)
    cloud.wait_for(job, "SUCCEEDED")
    told = stages(job)
    assert told[0] == ("IN_PROGRESS", "download 0")
    assert ("IN_PROGRESS", "download 50") in told and ("IN_PROGRESS", "restart 1.1.0") in told
    assert told[-1] == ("SUCCEEDED", "1.1.0")
    assert cloud.blocks_sent * 4096 <= 1.1 * image.stat().st_size
    # Once: nothing more is said of it, and it is not begun again.
    before = len(job.history)
    twin.kill()
    thing()
    time.sleep(3)
    assert len(job.history) == before


def test_E08_job_that_was_there_before_the_device(cloud, thing, shelf):
    job = cloud.create_job(THING, "job-1", by_stream(cloud, shelf.image("newer", "1.1.0")))
    thing().wait_for("CONFIRMED", 40)
    cloud.wait_for(job, "SUCCEEDED")


@pytest.mark.parametrize("faults", [{"shuffle": True}, {"drop": 0.05}, {"duplicate": 0.3}, {"silent": 2},
                                    {"reject": ["RequestThrottled", "InternalError", ""]}], ids=str)
def test_faults_of_the_network_and_the_service(cloud, thing, shelf, faults):
    cloud.faults.update(faults)
    image = shelf.image("newer", "1.1.0")
    job = cloud.create_job(THING, "job-1", by_stream(cloud, image))
    thing(time_scale=10).wait_for("CONFIRMED", 60)
    cloud.wait_for(job, "SUCCEEDED")


def test_bad_firmware_is_told_once_and_not_begun_again(cloud, thing, shelf):
    twin = thing()
    job = cloud.create_job(THING, "job-1", by_stream(cloud, shelf.image("failing", "1.1.0")))
    twin.wait_for("REVERTED", 40)
    cloud.wait_for(job, "FAILED")
    assert "left again: a health probe failed" in str(job.details)
    # A retry is another execution: this device does not fall for the same firmware twice.
    with cloud.lock:
        job.number, job.version, job.status, job.details = 2, 1, "QUEUED", {}
        cloud._notify(THING)
    cloud.wait_for(job, "REJECTED")


def test_what_no_retry_can_mend_is_rejected(cloud, thing, shelf):
    thing()
    other = cloud.create_job(THING, "other-key", by_stream(cloud, shelf.image("newer", "1.1.0", key="other"), "s1"))
    cloud.wait_for(other, "REJECTED", 40)
    assert "signature" in str(other.details)
    odd = cloud.create_job(THING, "odd", {"operation": "reboot"})
    cloud.wait_for(odd, "REJECTED")
    assert "job document" in str(odd.details)
    same = cloud.create_job(THING, "same", by_stream(cloud, shelf.image("good", "1.0.0"), "s2"))
    cloud.wait_for(same, "SUCCEEDED")
    assert "runs already" in str(same.details)
    gone = cloud.create_job(THING, "gone", {"bess_ota": 1, "stream": {"id": "nowhere", "fileId": 0}, "size": 100000})
    cloud.wait_for(gone, "FAILED")



def openssl_key(folder, name, *kind):
    """A private key, and beside it the public one."""
    key, public = folder / f"{name}.key", folder / f"{name}.pub"
    openssl("genpkey", *kind, "-out", key)
    openssl("pkey", "-in", key, "-pubout", "-out", public)
    return key, public


@pytest.mark.parametrize("member, kind", [
    ("sig-sha256-ecdsa", ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")),
    ("sig-sha256-rsa", ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"))])
def test_code_signature_of_a_job(cloud, thing, shelf, tmp_path, member, kind):
    """openssl signs as AWS Signer does. The image's own signature holds each time."""
    key, public = openssl_key(tmp_path, "code", *kind)
    image = shelf.image("newer", "1.1.0")

    def document(name, signature):
        made = by_stream(cloud, image, name)
        file = made["afr_ota"]["files"][0]
        del file["sig-sha256-ecdsa"]
        return {"afr_ota": {**made["afr_ota"], "files": [{**file, **({member: signature} if signature else {})}]}}

    def sign(by, path):
        return base64.b64encode(openssl("dgst", "-sha256", "-sign", by, path)).decode()
    twin = thing(**{"code-key": public})
    for name, signature in (("none", ""), ("of-another-file", sign(key, public)),
                            ("by-another-key", sign(openssl_key(tmp_path, "other", *kind)[0], image))):
        job = cloud.create_job(THING, name, document(name, signature))
        cloud.wait_for(job, "REJECTED", 40)
        assert "code signature" in str(job.details)
    job = cloud.create_job(THING, "right", document("right", sign(key, image)))
    twin.wait_for("CONFIRMED", 40)
    cloud.wait_for(job, "SUCCEEDED")


def test_canceled_in_mid_download(cloud, thing, shelf):
    twin = thing()
    cloud.faults["drop"] = 0.3
    job = cloud.create_job(THING, "job-1", by_stream(cloud, shelf.image("newer", "1.1.0")))
    cloud.wait_for(job, "IN_PROGRESS")
    cloud.cancel_job(THING, "job-1")
    assert "canceled" in twin.wait_for("FAILED", 30)
    cloud.faults.clear()
    second = cloud.create_job(THING, "job-2", by_stream(cloud, shelf.image("newer", "1.2.0"), "s2"))
    twin.wait_for("CONFIRMED", 60)
    cloud.wait_for(second, "SUCCEEDED")
    assert job.status == "CANCELED"


def test_broker_restarts_in_mid_download(cloud, thing, shelf):
    cloud.faults["drop"] = 0.1
    twin = thing(time_scale=10)
    image = shelf.image("newer", "1.1.0")
    job = cloud.create_job(THING, "job-1", by_stream(cloud, image))
    cloud.wait_for(job, "IN_PROGRESS")
    cloud.broker.stop()
    time.sleep(2)
    cloud.broker.start()
    twin.wait_for("CONFIRMED", 60)
    cloud.wait_for(job, "SUCCEEDED", 60)


def test_answer_that_is_lost_is_asked_for_again(cloud, thing, shelf):
    twin = thing(time_scale=10)
    job = cloud.create_job(THING, "job-1", by_stream(cloud, shelf.image("newer", "1.1.0")))
    twin.wait_for("REBOOTING", 40)
    cloud.faults["lose_update_answer"] = True
    cloud.wait_for(job, "SUCCEEDED", 40)
    time.sleep(3)
    assert [status for status, _ in job.history].count("SUCCEEDED") == 1


def test_power_lost_in_mid_download_goes_on(cloud, thing, shelf):
    twin = thing(time_scale=10)
    image = shelf.image("newer", "1.1.0")
    cloud.faults["drop"] = 0.1
    job = cloud.create_job(THING, "job-1", by_stream(cloud, image))
    twin.wait_for_progress(40, 40)
    twin.kill()
    cloud.faults.clear()
    sent = cloud.blocks_sent
    twin = thing()
    twin.wait_for("CONFIRMED", 40)
    cloud.wait_for(job, "SUCCEEDED")
    assert (cloud.blocks_sent - sent) * 4096 < 0.75 * image.stat().st_size


@pytest.fixture
def files(authority, shelf):
    """A server of pre-signed URLs: what is signed with a number up to expired gets S3's 403."""
    from scripted_server import ScriptedServer
    with ScriptedServer(authority.issue("files"), shelf.image("newer", "1.1.0").read_bytes()) as server:
        server.expired = 0
        server.issued = 0

        def url():
            server.issued += 1
            return server.url(f"/fw.bin?X-Amz-Signature={server.issued}", host="localhost")

        def refuse_expired(exchange):
            if int(exchange.request.target.split("=")[1]) > server.expired:
                return False
            body = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
            exchange.send(exchange.head(403, [("Content-Length", len(body))]) + body)
            return True
        server.fresh_url = url
        server.behaviour = refuse_expired
        yield server


@pytest.mark.parametrize("form", ["own", "afr_ota"])
def test_job_by_presigned_url(cloud, thing, files, shelf, form):
    size = shelf.image("newer", "1.1.0").stat().st_size

    def document():
        if form == "own":
            return {"bess_ota": 1, "url": files.fresh_url(), "size": size}
        return {"afr_ota": {"protocols": ["HTTP"], "files": [
            {"filepath": "/u", "filesize": size, "fileid": 0, "certfile": "c", "update_data_url": files.fresh_url(),
             "auth_scheme": "aws.s3.presigned", "sig-sha256-rsa": "aa=="}]}}
    job = cloud.create_job(THING, "job-1", document)
    thing().wait_for("CONFIRMED", 40)
    cloud.wait_for(job, "SUCCEEDED")
    # The URL is the credential: nothing else goes with it.
    assert all("authorization" not in request.fields for request in files.requests)


def test_expired_url_is_renewed_and_the_download_goes_on(cloud, thing, files, shelf):
    size = shelf.image("newer", "1.1.0").stat().st_size
    refuse_expired = files.behaviour

    def expires_in_mid_download(exchange):
        if refuse_expired(exchange):
            return True
        if exchange.request.is_check or files.expired:
            return False
        files.expired = files.issued
        status, fields, body = exchange.ordinary()
        exchange.send(exchange.head(status, [*fields, ("Content-Length", len(body))]) + body[:len(body) // 2])
        exchange.connection.close()
        return True
    files.behaviour = expires_in_mid_download
    job = cloud.create_job(THING, "job-1", lambda: {"bess_ota": 1, "url": files.fresh_url(), "size": size})
    thing(time_scale=10).wait_for("CONFIRMED", 60)
    cloud.wait_for(job, "SUCCEEDED")
    assert files.sent < 1.2 * size


def test_certificate_of_nobody_is_told(cloud, twin, authority, tmp_path):
    from certificates import Authority
    (tmp_path / "elsewhere").mkdir()
    stranger = Authority(tmp_path / "elsewhere", "stranger").issue(THING, f"DNS:{THING}").combined()
    twin.power_on(sd=False, aws=f"localhost:{cloud.broker.port}", thing=THING, ca=authority.certificate, client=stranger,
                  time_scale=20)
    twin.wait_for("firmware:")
    twin.ask("check")
    assert "check the thing's certificate" in twin.wait_for("FAILED", 20)
