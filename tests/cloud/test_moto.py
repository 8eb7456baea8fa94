"""The log in CloudWatch, judged by a service that is not ours: moto's logs, iam and sts, which check each signature."""

import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("botocore", reason="python3-botocore is the owner's client")
if "CLOUD_BIN" not in os.environ:
    pytest.skip("moto, from PyPI, is not here: ./check cloud brings it", allow_module_level=True)

import botocore.session  # noqa: E402

from aws_stand_in import free_port  # noqa: E402
from logs_stand_in import REGION, credentials_server  # noqa: E402
from twin import die_with_parent  # noqa: E402

THING, GROUP = "bess-0042", "/bess/ota"
ALLOW_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ASSUME = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]})
SET_UP_CALLS = 5  # of Moto.set_up(), which nobody has a key for yet


class Moto:
    def __init__(self, folder, authority):
        own = authority.issue("moto")
        self.port, self.authority = free_port(), authority
        log = (folder / "moto.log").open("w")
        self.process = subprocess.Popen(
            [Path(os.environ["CLOUD_BIN"]) / "python", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port),
             "-s", "-c", own.certificate, "-k", own.key], stdout=log, stderr=log, preexec_fn=die_with_parent,
            env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(SET_UP_CALLS)})
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.1)
        self.set_up()

    def close(self):
        self.process.kill()
        self.process.wait()

    def client(self, service, key_id="none", secret="none", token=None):
        return botocore.session.Session().create_client(
            service, region_name=REGION, endpoint_url=f"https://localhost:{self.port}", use_ssl=True,
            verify=str(self.authority.certificate), aws_access_key_id=key_id, aws_secret_access_key=secret,
            aws_session_token=token)

    def set_up(self):
        """An owner, and the role that the credentials provider gives to units."""
        iam = self.client("iam")
        iam.create_user(UserName="owner")
        iam.put_user_policy(UserName="owner", PolicyName="all", PolicyDocument=ALLOW_ALL)
        made = iam.create_access_key(UserName="owner")["AccessKey"]
        self.owner = made["AccessKeyId"], made["SecretAccessKey"]
        role = iam.create_role(RoleName="bess-log", AssumeRolePolicyDocument=ASSUME)["Role"]["Arn"]
        iam.put_role_policy(RoleName="bess-log", PolicyName="all", PolicyDocument=ALLOW_ALL)
        sts = self.client("sts", *self.owner)
        self.role = sts.assume_role(RoleArn=role, RoleSessionName=THING)["Credentials"]

    def messages(self):
        logs = self.client("logs", *self.owner)
        streams = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
        return {stream["logStreamName"]: [event["message"] for event in logs.get_log_events(
            logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True)["events"]]
            for stream in streams}


@pytest.fixture
def moto(tmp_path, authority):
    made = Moto(tmp_path, authority)
    yield made
    made.close()


def provider(folder, moto, secret=None):
    folder.mkdir()
    return credentials_server(folder, moto.authority, moto.authority.issue("provider"),
                              key_id=moto.role["AccessKeyId"], secret=secret or moto.role["SecretAccessKey"],
                              token=moto.role["SessionToken"])


def update(twin, shelf, moto, server):
    (twin.sd / "bess_update.bin").write_bytes(shelf.image("newer", "1.1.0").read_bytes())
    certificate = moto.authority.issue(THING, f"DNS:{THING}").combined()
    twin.power_on(**{"ca": moto.authority.certificate, "client": certificate, "thing": THING,
                     "cloudwatch": f"localhost:{moto.port}", "credentials": f"localhost:{server.port}",
                     "log-group": GROUP, "auto": 1, "check-ms": 500})
    twin.wait_for("CONFIRMED", 90)


def test_moto_takes_the_log_of_an_update(tmp_path, moto, twin, shelf):
    moto.client("logs", *moto.owner).create_log_group(logGroupName=GROUP)
    with provider(tmp_path / "provider", moto) as server:
        update(twin, shelf, moto, server)
        end = time.monotonic() + 30
        while "CONFIRMED" not in str(moto.messages()):
            assert time.monotonic() < end, f"{moto.messages()}\n{(tmp_path / 'moto.log').read_text()}"
            time.sleep(0.5)
    assert list(moto.messages()) == [THING]
    lines = moto.messages()[THING]
    # Over a restart moto's order, which is by time, may be another: a server tells whole seconds.
    for states in (("CHECKING", "DOWNLOADING", "VERIFYING", "REBOOTING"), ("TRIAL_STARTED", "CONFIRMED")):
        order = [next(n for n, line in enumerate(lines) if state in line) for state in states]
        assert order == sorted(order), lines


def test_moto_refuses_a_wrong_secret_and_the_update_is_made(tmp_path, moto, twin, shelf):
    moto.client("logs", *moto.owner).create_log_group(logGroupName=GROUP)
    with provider(tmp_path / "provider", moto, secret="of-somebody-else") as server:
        update(twin, shelf, moto, server)
    assert moto.messages() == {}
    log = (tmp_path / "moto.log").read_text()
    assert re.search(r'POST / HTTP/1\.1\S*" 403', log), log
