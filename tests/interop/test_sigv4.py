"""Signatures of requests to AWS: AWS's own suite, read in place, and botocore on random requests."""
import datetime
import random
import string
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / "build/host/tests/sigv4_peer"
SUITE = ROOT.parent / "shared/vectors/aws/aws4_testsuite"
DATE, KEY_ID, SECRET = "20150830T123600Z", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CASES = sorted(SUITE.rglob("*.req"))


def sign(request, region="us-east-1", service="service", date=DATE):
    """The canonical request and the value of Authorization."""
    result = subprocess.run([PEER, date, region, service, KEY_ID, SECRET], input=request.encode(),
                            stdout=subprocess.PIPE, check=True, timeout=10)
    canonical, authorization = result.stdout.decode().rsplit("\n--\n", 1)
    return canonical, authorization.strip()


@pytest.mark.skipif(not CASES, reason="AWS's test suite is not there: ../shared/vectors/aws")
def test_every_case_of_the_suite():
    for case in CASES:
        request = case.read_text()
        head, _, body = request.rstrip("\n").partition("\n\n")
        added = case.with_suffix(".sreq").read_text()
        token = next((line for line in added.splitlines() if line.lower().startswith("x-amz-security-token:")), None)
        # In "after" the token joins the request once it is signed.
        if token and token not in head and "after" not in case.name:
            head += "\n" + token
        canonical, authorization = sign(head + "\n\n" + body)
        assert canonical == case.with_suffix(".creq").read_text(), case.name
        assert authorization == case.with_suffix(".authz").read_text(), case.name
    assert len(CASES) >= 30
    print(f"{len(CASES)} cases")


def random_request(dice):
    """Of the kind that a client sends: path and query are encoded where they have to be."""
    word = lambda alphabet, most: "".join(dice.choices(alphabet, k=dice.randint(1, most)))
    safe = string.ascii_letters + string.digits + "-._~"
    path = "/" + "/".join(word(safe, 12) for _ in range(dice.randint(0, 4)))
    names = {word(safe, 8) for _ in range(dice.randint(0, 5))}
    query = "&".join(f"{name}={word(safe, 10)}%{dice.randint(0x20, 0x7E):02X}" for name in sorted(names, key=hash))
    fields = {"X-" + word(string.ascii_letters, 10): word(safe + "  ", 20).strip() or "x" for _ in range(dice.randint(0, 5))}
    return dice.choice(["GET", "POST", "PUT"]), path, query, fields, word(string.printable, 200)


def test_botocore_signs_random_requests_alike(monkeypatch):
    auth = pytest.importorskip("botocore.auth", reason="botocore is not installed")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    now = datetime.datetime(2026, 11, 29, 23, 59, 59)
    clock = type("Frozen", (), {"utcnow": staticmethod(lambda: now), "now": staticmethod(lambda tz=None: now)})
    if hasattr(auth, "get_current_datetime"):
        monkeypatch.setattr(auth, "get_current_datetime", lambda *_: now)
    else:
        monkeypatch.setattr(auth.datetime, "datetime", clock)
    dice = random.Random(20261130)
    for number in range(300):
        method, path, query, fields, body = random_request(dice)
        token = "".join(dice.choices(string.ascii_letters, k=40)) if dice.random() < 0.5 else None
        url = f"https://logs.eu-west-1.amazonaws.com{path}{'?' + query if query else ''}"
        request = AWSRequest(method, url, headers=fields, data=body.encode())
        auth.SigV4Auth(Credentials(KEY_ID, SECRET, token), "logs", "eu-west-1").add_auth(request)
        theirs = request.headers["Authorization"]
        lines = [f"Host: logs.eu-west-1.amazonaws.com", f"X-Amz-Date: {request.headers['X-Amz-Date']}"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        if token:
            lines.append(f"X-Amz-Security-Token: {token}")
        target = url.removeprefix("https://logs.eu-west-1.amazonaws.com")
        _, ours = sign(f"{method} {target} HTTP/1.1\n" + "\n".join(lines) + "\n\n" + body, "eu-west-1", "logs",
                       request.headers["X-Amz-Date"])
        assert ours == theirs, (number, method, url, fields)
    assert not sign("GET / HTTP/1.1\nHost: a\n\n")[1] == sign("GET / HTTP/1.1\nHost: b\n\n")[1]
