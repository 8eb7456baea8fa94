"""The log in CloudWatch: the twin against stand-ins for the service and for AWS IoT's credentials provider."""

import json
import time

import pytest

pytest.importorskip("botocore", reason="python3-botocore judges the signatures")

from logs_stand_in import SECRET, TOKEN, Logs, credentials_server  # noqa: E402

THING = "bess-0042"


@pytest.fixture
def logs(authority):
    made = Logs(authority.issue("logs"))
    made.groups["/bess/ota"] = {}
    yield made
    made.close()
    assert made.violations == []


@pytest.fixture
def provider(tmp_path, authority):
    with credentials_server(tmp_path, authority, authority.issue("provider")) as server:
        yield server


@pytest.fixture
def logging_twin(twin, logs, provider, authority):
    certificate = authority.issue(THING, f"DNS:{THING}").combined()

    def power_on(**options):
        twin.power_on(**{"ca": authority.certificate, "client": certificate, "thing": THING,
                         "cloudwatch": f"localhost:{logs.port}", "credentials": f"localhost:{provider.port}",
                         "log-group": "/bess/ota", "auto": 1, "check-ms": 500, "time_scale": 10, **options})
        twin.wait_for("firmware:")
        return twin
    return power_on


def wait_for_text(logs, text, timeout=30):
    end = time.monotonic() + timeout
    while text not in logs.text():
        assert time.monotonic() < end, f"{text!r} is not in the cloud:\n{logs.text()}\n{logs.requests}"
        time.sleep(0.1)


def update(twin, shelf):
    image = shelf.image("newer", "1.1.0")
    (twin.sd / "bess_update.bin").write_bytes(image.read_bytes())


def test_log_an_update_as_the_cloud_sees_it(logs, logging_twin, shelf):
    twin = logging_twin(metrics="BESS/OTA", time_scale=4)  # a restart gives the log 2 s, half a second here
    update(twin, shelf)
    twin.wait_for("CONFIRMED", 40)
    wait_for_text(logs, "CONFIRMED")
    wait_for_text(logs, "_aws")
    lines = [e["message"] for e in logs.events(stream=THING) if not e["message"].startswith("{")]
    order = [lines.index(next((line for line in lines if state in line), f"no {state} in {lines}"))
             for state in ("CHECKING", "DOWNLOADING", "VERIFYING", "REBOOTING", "TRIAL_STARTED", "CONFIRMED")]
    assert order == sorted(order)
    boots = {line.split()[2].partition(":")[0] for line in lines}
    assert len(boots) == 2  # before the restart and behind it
    for boot in boots:
        numbers = [int(line.split()[2].partition(":")[2]) for line in lines if line.split()[2].startswith(boot)]
        assert len(numbers) == len(set(numbers))
    metrics = [json.loads(e["message"]) for e in logs.events() if e["message"].startswith("{")]
    assert metrics[-1]["Outcome"] == "confirmed" and metrics[-1]["Thing"] == THING
    assert abs(metrics[-1]["_aws"]["Timestamp"] / 1000 - time.time()) < 600
    assert SECRET not in logs.text() + str(twin.drain()) and TOKEN not in logs.text()
    assert logs.requests.count("CreateLogStream") == 1


def test_log_of_a_device_whose_clock_is_not_set(logs, logging_twin):
    logging_twin(**{"clock-unset": 1})
    wait_for_text(logs, "CHECKING")
    assert all(abs(event["timestamp"] / 1000 - time.time()) < 600 for event in logs.events())


@pytest.mark.parametrize("faults", [["ThrottlingException"], ["drop", "drop"], ["ExpiredTokenException"],
                                    ["ServiceUnavailableException"], ["InvalidSignatureException"]], ids=str)
def test_log_faults_of_the_service_lose_nothing(logs, logging_twin, faults):
    logs.groups = {}
    logs.faults = list(faults)
    twin = logging_twin()
    wait_for_text(logs, "CHECKING")
    wait_for_text(logs, "IDLE")
    numbers = sorted(int(e["message"].split()[2].partition(":")[2]) for e in logs.events())
    assert numbers == list(range(1, len(numbers) + 1))
    assert "CreateLogGroup" in logs.requests
    twin.kill()


def test_log_a_wrong_secret_is_refused_and_harms_nothing(tmp_path, logs, logging_twin, authority, shelf):
    folder = tmp_path / "other"
    folder.mkdir()
    with credentials_server(folder, authority, authority.issue("provider"), secret="another") as other:
        twin = logging_twin(credentials=f"localhost:{other.port}")
        update(twin, shelf)
        twin.wait_for("CONFIRMED", 40)
    assert logs.events() == []
    assert "PutLogEvents" in logs.requests


def test_log_a_certificate_without_the_role(logs, logging_twin, provider, shelf):
    twin = logging_twin(thing="bess-0043")  # not the name in its certificate
    update(twin, shelf)
    twin.wait_for("CONFIRMED", 40)
    assert logs.requests == []
    assert sum(" 403 " in line or line.startswith("403") for line in provider.seen()) >= 1


def test_log_lines_that_wait_survive_a_loss_of_power(logs, logging_twin):
    """With a card besides. The service is away, the power fails, and the next start brings the lines of the one before."""
    twin = logging_twin(cloudwatch="localhost:1", log="/sdcard/log", **{"check-ms": 100000})
    twin.ask("check")
    twin.wait_for("IDLE")
    time.sleep(1)  # 10 s of the device: what waits is on the card
    assert list((twin.sd / "log" / "cloud").iterdir())
    twin.kill()
    assert logs.events() == []
    logging_twin(log="/sdcard/log", **{"check-ms": 100000})
    wait_for_text(logs, "CHECKING")  # nobody has asked for a check since the start
    numbers = [event["message"].split()[2] for event in logs.events()]
    boot = numbers[0].partition(":")[0]
    of_then = [int(number.partition(":")[2]) for number in numbers if number.startswith(boot)]
    assert of_then == list(range(1, len(of_then) + 1))
    assert "IDLE" in logs.text()
    assert all(abs(event["timestamp"] / 1000 - time.time()) < 600 for event in logs.events())


def test_log_a_cloud_that_is_not_there_holds_up_nothing(logging_twin, shelf):
    twin = logging_twin(cloudwatch="localhost:1", credentials="localhost:1")
    begun = time.monotonic()
    update(twin, shelf)
    twin.wait_for("CONFIRMED", 40)
    assert time.monotonic() - begun < 30
