"""What stands in for AWS IoT: Jobs and MQTT-based file delivery on a real mosquitto with mutual TLS, each thing confined
to its own topics. Faults on demand. It judges what devices send by AWS's limits (developer guide, 2022).

Not as AWS does it: answers reach those who subscribed, and nobody else; a forbidden publish is dropped, not punished."""

import base64
import json
import random
import re
import shutil
import socket
import subprocess
import threading
import time

import cbor2
import paho.mqtt.client as mqtt

from twin import die_with_parent

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
TERMINAL = {"SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "REMOVED", "CANCELED"}
DEVICE_MAY_SET = {"IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"}
QUEUED_AT = 1629735402
MOST_DATA = 131072  # bytes in answer to one request for blocks


def encode(form, body):
    """A stream's message in its form: bytes are base64 in JSON."""
    if form == "cbor":
        return cbor2.dumps(body)
    return json.dumps(body, default=lambda part: base64.b64encode(part).decode()).encode()


def decode(form, payload):
    """A request for a stream; the bitmap is hexadecimal digits in JSON."""
    if form == "cbor":
        return cbor2.loads(payload)
    body = json.loads(payload)
    if "b" in body:
        body["b"] = bytes.fromhex(body["b"].removeprefix("0x"))
    return body


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Here:
    """This network namespace."""
    wrapper = ()

    @staticmethod
    def run(function):
        return function()


class Broker:
    """mosquitto with mutual TLS; a client's certificate name is its thing name. fleet: the name in a certificate that
    may be any thing."""

    def __init__(self, folder, authority, fleet=None, address="127.0.0.1", inside=None):
        """inside: runs a function in the network namespace where it listens, and wrapper there a command."""
        self.folder = folder
        self.port = free_port()
        self.address, self.inside = address, inside or Here
        server = authority.issue("broker", f"DNS:localhost,IP:{address}")
        (folder / "acl").write_text(
            "user svc\ntopic readwrite $aws/#\n"
            + "".join(f"pattern write $aws/things/%u/{topic}\n" for topic in
                      ("jobs/+", "jobs/+/get", "jobs/+/update", "streams/+/get/+", "streams/+/describe/+",
                       "shadow/name/ota/get", "shadow/name/ota/update"))
            + "pattern read $aws/things/%u/#\n"
            + "user contract\ntopic readwrite contract/#\n"
            + "user claim\ntopic read $aws/certificates/create-from-csr/json/+\n"
              "topic write $aws/certificates/create-from-csr/json\n"
              "topic read $aws/provisioning-templates/+/provision/json/+\n"
              "topic write $aws/provisioning-templates/+/provision/json\n"
            + (f"user {fleet}\ntopic readwrite $aws/things/#\n" if fleet else ""))
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} {address}\ncafile {authority.certificate}\ncertfile {server.certificate}\n"
            f"keyfile {server.key}\nrequire_certificate true\nuse_identity_as_username true\nallow_anonymous false\n"
            f"acl_file {folder / 'acl'}\nmax_packet_size 135000\nmax_inflight_messages 100\nuser root\n")
        self.process = None
        self.start()

    def start(self):
        log = (self.folder / "mosquitto.log").open("a")
        self.process = subprocess.Popen([*self.inside.wrapper, MOSQUITTO, "-c", self.folder / "mosquitto.conf"], stdout=log, stderr=log,
                                        preexec_fn=die_with_parent)
        def is_there():
            with socket.socket() as probe:
                return probe.connect_ex((self.address, self.port)) == 0
        for _ in range(200):
            if self.inside.run(is_there):
                return
            time.sleep(0.02)
        raise AssertionError("mosquitto does not start: " + (self.folder / "mosquitto.log").read_text())

    def stop(self):
        self.process.kill()
        self.process.wait()


class Execution:
    def __init__(self, job, document):
        self.job, self.document = job, document
        self.number, self.version = 1, 1
        self.status, self.details = "QUEUED", {}
        self.history = []  # (status, details) as the device set them

    def set(self, status, details):
        """As the device tells it; details: none are given: they stay."""
        self.status, self.details = status, self.details if details is None else details
        self.version += 1
        self.history.append((status, details or {}))

    def summary(self):
        return {"jobId": self.job, "queuedAt": QUEUED_AT, "lastUpdatedAt": QUEUED_AT, "versionNumber": self.version,
                "executionNumber": self.number}

    def state(self):
        return {"status": self.status, "statusDetails": self.details, "versionNumber": self.version}

    def described(self, with_document):
        out = {**self.summary(), "status": self.status, "statusDetails": self.details}
        return {**out, "jobDocument": self.document()} if with_document else out


class Cloud:
    """Jobs and streams of every thing."""

    def __init__(self, folder, authority, **broker):
        self.broker = Broker(folder, authority, **broker)
        self.queues = {}  # thing: [Execution]
        self.streams = {}  # id: [version, {file id: bytes}]
        self.shadows = {}  # thing: {"desired", "reported", "version"} of the shadow "ota"
        self.violations = []  # of AWS's rules, by devices
        self.requests = []  # (topic below the thing, body)
        self.faults = {}
        self.random = random.Random(1)
        self.authority = authority
        self.templates = {}  # name: a function of the parameters that gives the thing's name, or None
        self.ownership = {}  # token: certificate id
        self.active = set()  # ids of certificates of registered things
        self.injected = 0  # faults that came to pass
        self.blocks_sent = self.received = self.sent = 0  # the last two: messages
        self.lock = threading.RLock()
        own = authority.issue("svc")
        self.client = mqtt.Client("svc", protocol=mqtt.MQTTv311)
        self.client.tls_set(str(authority.certificate), str(own.certificate), str(own.key))
        self.client.on_connect = lambda client, *_: client.subscribe([(f"$aws/things/+/{t}", 1) for t in (
            "jobs/+", "jobs/+/get", "jobs/+/update", "streams/+/get/+", "streams/+/describe/+",
            "shadow/name/ota/get", "shadow/name/ota/update")] + [
                ("$aws/certificates/create-from-csr/json", 1), ("$aws/provisioning-templates/+/provision/json", 1)])
        self.client.on_message = self._take
        self.client.reconnect_delay_set(1, 1)
        self.client.max_inflight_messages_set(200)
        host = "localhost" if self.broker.address == "127.0.0.1" else self.broker.address
        self.broker.inside.run(lambda: self.client.connect(host, self.broker.port))
        self.client.loop_start()

    def close(self):
        self.client.loop_stop()
        self.broker.stop()

    # ---- the owner's side

    def create_job(self, thing, job, document):
        """document: a dict, or a function that makes one each time it is asked for (pre-signed URLs)."""
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", job), "AWS takes no such id"
        with self.lock:
            made = Execution(job, document if callable(document) else lambda: document)
            self.queues.setdefault(thing, []).append(made)
            if self._head(thing) is made:
                self._notify(thing)
            return made

    def cancel_job(self, thing, job, delete=False):
        with self.lock:
            execution = self._find(thing, job)
            execution.status = "CANCELED"
            if delete:
                self.queues[thing].remove(execution)
            self._notify(thing)

    def create_stream(self, name, content, file=0):
        version = self.streams[name][0] + 1 if name in self.streams else 1
        self.streams[name] = [version, {file: content}]

    def wait_for(self, execution, status, timeout=30):
        end = time.monotonic() + timeout
        while execution.status != status:
            assert time.monotonic() < end, f"{execution.job} is {execution.status} {execution.details}, not {status}"
            time.sleep(0.05)

    # ---- the service's side

    def _head(self, thing):
        waiting = [e for e in self.queues.get(thing, []) if e.status not in TERMINAL]
        return min(waiting, key=lambda e: e.status != "IN_PROGRESS", default=None)

    def _find(self, thing, job):
        return next((e for e in self.queues.get(thing, []) if e.job == job), None)

    def _notify(self, thing):
        head = self._head(thing)
        body = {"timestamp": int(time.time())}
        if head:
            body["execution"] = head.described(True)
        self._send(thing, "jobs/notify-next", json.dumps(body))

    def _send(self, thing, topic, payload):
        self.sent += 1
        self.client.publish(f"$aws/things/{thing}/{topic}", payload, qos=1)

    def _take(self, _client, _data, message):
        with self.lock:
            if not message.topic.startswith("$aws/things/"):
                return self._provision(message.topic, message.payload)
            match = re.fullmatch(r"\$aws/things/([^/]+)/((?:jobs|streams|shadow)/.*)", message.topic)
            thing, topic = match[1], match[2]
            if re.search(r"/(accepted|rejected)$|^jobs/notify", topic):
                return
            self.received += 1
            if message.retain or message.qos == 2:
                self.violations.append(f"{topic}: retained or QoS 2")
            if self.faults.get("silent", 0) > 0:
                self.faults["silent"] -= 1
                self.injected += 1
                return
            if self._kicks():
                return
            if topic.startswith("streams/"):
                return self._take_stream(thing, topic, message.payload)
            if topic.startswith("shadow/"):
                return self._take_shadow(thing, topic, message.payload)
            self._take_job(thing, topic, message.payload)

    def _take_job(self, thing, topic, payload):
        def reject(code, execution=None, **more):
            body = {"code": code, "message": code, "timestamp": int(time.time()), **more}
            if execution:
                body["executionState"] = execution.state()
            self._send(thing, topic + "/rejected", json.dumps(body))

        try:
            body = json.loads(payload or b"{}")
        except ValueError:
            self.violations.append(f"{topic}: no JSON")
            return reject("InvalidJson")
        self.requests.append((topic, body))
        token = {"clientToken": body["clientToken"]} if "clientToken" in body else {}
        if self.faults.get("reject"):
            self.injected += 1
            return reject(self.faults["reject"].pop(0), **token) if self.faults["reject"] else None
        def accept(**more):
            self._send(thing, topic + "/accepted", json.dumps({"timestamp": int(time.time()), **token, **more}))
        if topic == "jobs/get":
            waiting = [e for e in self.queues.get(thing, []) if e.status not in TERMINAL]
            return accept(**{name: [e.summary() for e in waiting if e.status == status] for name, status in
                             (("queuedJobs", "QUEUED"), ("inProgressJobs", "IN_PROGRESS"))})
        if topic == "jobs/start-next":
            return accept(**self._start(thing, body))
        if topic.count("/") != 2:
            return reject("InvalidTopic", **token)
        _, job, verb = topic.split("/")
        execution = self._head(thing) if job == "$next" else self._find(thing, job)
        if verb == "get" and (execution or job == "$next"):
            if execution and execution.status in TERMINAL:
                return reject("TerminalStateReached", **token)
            return accept(**{"execution": execution.described(True)} if execution else {})
        if verb != "update" or not execution:
            return reject("ResourceNotFound", **token)
        self._update(execution, body, token, topic, thing, reject)

    def _start(self, thing, body):
        """The next one, as IN_PROGRESS. One that is so already stays as it is."""
        execution = self._head(thing)
        if execution is None:
            return {}
        if execution.status == "QUEUED":
            execution.set("IN_PROGRESS", body.get("statusDetails"))
        return {"execution": execution.described(True)}

    def _update(self, execution, body, token, topic, thing, reject):
        details = body.get("statusDetails", {})
        good = (body.get("status") in DEVICE_MAY_SET and len(details) <= 10 and len(body.get("clientToken", "")) <= 64
                and 1 <= body.get("stepTimeoutInMinutes", 1) <= 10080
                and all(re.fullmatch(r"[a-zA-Z0-9:_-]{1,128}", k) and isinstance(v, str) and 1 <= len(v) <= 1024
                        and not re.search(r"[\x00-\x1f\x7f]", v) for k, v in details.items()))
        if not good:
            self.violations.append(f"{topic}: {body}")
            return reject("InvalidRequest", **token)
        if body.get("executionNumber", execution.number) != execution.number:
            return reject("ResourceNotFound", **token)
        if int(body.get("expectedVersion", execution.version)) != execution.version:
            return reject("VersionMismatch", execution, **token)
        if execution.status in TERMINAL:
            return reject("InvalidStateTransition", execution, **token)
        execution.set(body["status"], body.get("statusDetails"))
        if self.faults.pop("lose_update_answer", None):
            self.injected += 1
        else:
            asked = {"executionState": execution.state()} if body.get("includeJobExecutionState") else {}
            self._send(thing, topic + "/accepted", json.dumps({"timestamp": int(time.time()), **token, **asked}))
        if execution.status in TERMINAL:
            self._notify(thing)

    # ---- fleet provisioning

    def _provision(self, topic, payload):
        self.received += 1
        self.requests.append((topic, payload))

        def answer(verdict, **body):
            self.client.publish(f"{topic}/{verdict}", json.dumps(body), qos=1)
        fault = self.faults.get("provision")
        if fault:
            status = fault.pop(0)
            if status:
                return answer("rejected", statusCode=status, errorCode="Fault", errorMessage="as the test wants it")
        body = json.loads(payload)
        if topic.startswith("$aws/certificates/"):
            signed = self.authority.sign_request(body["certificateSigningRequest"])
            number = f"{len(self.ownership):064x}"
            self.ownership[f"token-{number}"] = number
            return answer("accepted", certificateId=number, certificatePem=signed,
                          certificateOwnershipToken=f"token-{number}")
        template = topic.split("/")[2]
        if body.get("certificateOwnershipToken") not in self.ownership:
            return answer("rejected", statusCode=400, errorCode="InvalidCertificateOwnershipToken", errorMessage="")
        thing = self.templates[template](body["parameters"]) if template in self.templates else None
        if thing is None:
            return answer("rejected", statusCode=403, errorCode="AccessDenied", errorMessage="")
        self.active.add(self.ownership[body["certificateOwnershipToken"]])
        answer("accepted", thingName=thing, deviceConfiguration={})

    # ---- shadow

    def desire(self, thing, **desired):
        """The owner's update; None takes a member out."""
        with self.lock:
            self._change(thing, "desired", desired)
            # As AWS does it: to whoever listens, whose update it was.
            self._send(thing, "shadow/name/ota/update/accepted", json.dumps(
                {"state": {"desired": desired}, "version": self.shadows[thing]["version"]}))

    def reported(self, thing):
        return self.shadows.get(thing, {}).get("reported", {})

    def _change(self, thing, part, members):
        """Members that are null are taken out; objects are merged."""
        def merge(into, more):
            for name, value in more.items():
                if value is None:
                    into.pop(name, None)
                elif isinstance(value, dict) and isinstance(into.get(name), dict):
                    merge(into[name], value)
                else:
                    into[name] = value
        shadow = self.shadows.setdefault(thing, {"desired": {}, "reported": {}, "version": 0})
        merge(shadow[part], members)
        shadow["version"] += 1
        delta = {name: value for name, value in shadow["desired"].items() if shadow["reported"].get(name) != value}
        if delta:
            self._send(thing, "shadow/name/ota/update/delta", json.dumps(
                {"version": shadow["version"], "timestamp": int(time.time()), "state": delta, "metadata": {}}))

    def _take_shadow(self, thing, topic, payload):
        shadow = self.shadows.get(thing)
        self.requests.append((topic, payload))
        body = json.loads(payload or b"{}")
        token = {"clientToken": body["clientToken"]} if "clientToken" in body else {}
        fault = self.faults.get("shadow")
        if fault and (fault[0] is None or fault[0][0] in topic):
            code = fault.pop(0)
            return self._send(thing, topic + "/rejected",
                              json.dumps({"code": code[1], "message": "no", **token})) if code else None
        if topic.endswith("/get"):
            if set(body) - {"clientToken"}:
                self.violations.append(f"{topic}: {payload}")
            if shadow is None:
                return self._send(thing, topic + "/rejected",
                                  json.dumps({"code": 404, "message": "No shadow exists", **token}))
            state = {name: shadow[name] for name in ("desired", "reported") if shadow[name]}
            return self._send(thing, topic + "/accepted", json.dumps(
                {"state": state, "metadata": {}, "version": shadow["version"], "timestamp": int(time.time()), **token}))
        if len(payload) > 8192:
            self.violations.append(f"{topic}: {len(payload)} bytes")
        for part, members in body["state"].items():
            self._change(thing, part, members)
        self._send(thing, topic + "/accepted", json.dumps(
            {"state": body["state"], "version": self.shadows[thing]["version"], **token}))

    # ---- streams

    def _take_stream(self, thing, topic, payload):
        _, name, verb, form = topic.split("/")

        def reject(code):
            body = {"o": code, "code": code, "m": code, "message": code, "c": request.get("c", "")}
            self._send(thing, f"streams/{name}/rejected/{form}", encode(form, body))

        request = decode(form, payload) if payload else {}
        self.requests.append((topic, request))
        if len(request.get("c", "")) > 64:
            self.violations.append(f"{topic}: token")
        if name not in self.streams:
            return reject("ResourceNotFound")
        version, files = self.streams[name]
        if verb == "describe":
            body = {"c": request.get("c", ""), "s": version, "d": "",
                    "r": [{"f": f, "z": len(content)} for f, content in files.items()]}
            return self._send(thing, f"streams/{name}/description/{form}", encode(form, body))
        if request.get("s", version) != version:
            return reject("VersionMismatch")
        if request.get("f") not in files:
            return reject("ResourceNotFound")
        content, size, first = files[request["f"]], request["l"], request.get("o", 0)
        if not 256 <= size <= MOST_DATA:
            return reject("BlockSizeOutOfBounds")
        count = request.get("n", MOST_DATA // size)
        bits = request.get("b")
        blocks = [first + k for k in range(8 * len(bits)) if bits[k // 8] >> k % 8 & 1][:count] if bits else \
            list(range(first, first + count))
        if not blocks or blocks[-1] * size >= len(content):
            self.violations.append(f"{topic}: asks behind the end: {request}")
            return reject("InvalidRequest")
        self._send_blocks(thing, name, form, request, content, blocks[:MOST_DATA // size])

    def _kicks(self):
        """Another client with the thing's name throws it out, once each so many messages."""
        every, thing = self.faults.get("kick", (0, None))
        self.heard = getattr(self, "heard", 0) + 1
        if not every or self.heard % every:
            return False
        self.injected += 1
        own = self.authority.issue(thing)
        rival = mqtt.Client(thing, protocol=mqtt.MQTTv311)
        rival.tls_set(str(self.authority.certificate), str(own.certificate), str(own.key))
        rival.connect("localhost", self.broker.port)
        rival.loop_start()
        time.sleep(0.2)
        rival.disconnect()
        rival.loop_stop()
        return True

    def _send_blocks(self, thing, name, form, request, content, blocks):
        size = request["l"]

        def happens(fault):
            happened = self.random.random() < self.faults.get(fault, 0)
            self.injected += happened
            return happened
        if happens("shuffle"):
            self.random.shuffle(blocks)
        if happens("change_version"):
            self.faults["change_version"] = 0
            self.streams[name][0] += 1
        for block in blocks:
            if happens("drop"):
                continue
            part = content[block * size:(block + 1) * size]
            body = {"c": request.get("c", ""), "f": request["f"], "l": len(part), "i": block, "p": part}
            if happens("flip"):
                body["p"] = bytes([part[0] ^ 1]) + part[1:]
            if happens("wrong_number"):
                body["i"] = 5000
            if happens("wrong_file"):
                body["f"] = 9
            if happens("wrong_token"):
                body["c"] = "another"
            message = encode(form, body)
            if happens("truncate"):
                message = message[:len(message) // 2]
            for _ in range(2 if happens("duplicate") else 1):
                self.blocks_sent += 1
                topic = f"streams/{name}/data/{form}"
                if happens("delay"):
                    threading.Timer(0.2, self._send, (thing, topic, message)).start()
                else:
                    self._send(thing, topic, message)
