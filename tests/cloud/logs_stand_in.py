"""What stands in for CloudWatch Logs: PutLogEvents and what creates groups and streams, over TLS, with the signature
checked by botocore and the rules of the API reference enforced. Faults on demand.

Beside it, on nginx: AWS IoT's credentials provider, which wants the thing's certificate and its name in a field."""

import datetime
import http.server
import json
import re
import ssl
import threading

import botocore.auth
import botocore.awsrequest
import botocore.credentials

REGION, KEY_ID, SECRET, TOKEN = "eu-central-1", "ASIAEXAMPLE", "the/secret/of/the/role", "session-token-" + 1200 * "t"
ALIAS = "bess-log"


def utc_now():
    return datetime.datetime.now(datetime.timezone.utc)


def credentials_server(shelf_folder, authority, certificate, life=3600, secret=SECRET, status=200, key_id=KEY_ID,
                       token=TOKEN):
    """nginx with a server block that answers as the credentials provider does."""
    from nginx import Nginx
    expires = (utc_now() + datetime.timedelta(seconds=life)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = json.dumps({"credentials": {"accessKeyId": key_id, "secretAccessKey": secret, "sessionToken": token,
                                       "expiration": expires}})
    return Nginx(shelf_folder, shelf_folder, certificate, extra=f"""
        ssl_client_certificate {authority.certificate};
        ssl_verify_client on;
        location = /role-aliases/{ALIAS}/credentials {{
            default_type application/json;
            set $wanted "CN=$http_x_amzn_iot_thingname";
            if ($ssl_client_s_dn != $wanted) {{ return 403 '{{"message":"Access Denied"}}'; }}
            return {status} '{body}';
        }}""")


class Refusal(Exception):
    def __init__(self, kind, status=400, **more):
        super().__init__(kind)
        self.kind, self.status, self.more = kind, status, more


class Logs:
    def __init__(self, certificate):
        self.groups = {}  # name: {stream: [event]}
        self.faults = []  # one for each request: a kind of refusal, "drop", or None
        self.requests = []  # actions
        self.violations = []
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer._serve(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def events(self, group="/bess/ota", stream=None):
        with self.lock:
            streams = self.groups.get(group, {})
            return [e for name, events in streams.items() if stream in (None, name) for e in events]

    def text(self, **where):
        return "\n".join(e["message"] for e in self.events(**where))

    # ---- the service

    def _serve(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self.lock:
            fault = self.faults.pop(0) if self.faults else None
            action = handler.headers["X-Amz-Target"].partition(".")[2]
            self.requests.append(action)
            if fault == "drop":
                handler.connection.close()
                handler.close_connection = True
                return
            try:
                if fault:
                    raise Refusal(fault, 503 if fault == "ServiceUnavailableException" else 400)
                self._check_signature(handler, body)
                status, answer = 200, self._act(action, json.loads(body))
            except Refusal as refusal:
                status = refusal.status
                answer = {"__type": f"com.amazonaws.logs#{refusal.kind}", "message": refusal.kind, **refusal.more}
            except Exception as error:
                self.violations.append(repr(error))
                raise
        text = json.dumps(answer).encode()
        handler.send_response(status)  # with a Date
        handler.send_header("Content-Type", "application/x-amz-json-1.1")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def _check_signature(self, handler, body):
        form = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
                            r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", handler.headers["Authorization"])
        key_id, day, region, service, names, signature = form.groups()
        if (region, service) != (REGION, "logs") or key_id != KEY_ID:
            raise Refusal("UnrecognizedClientException")
        if handler.headers["X-Amz-Security-Token"] != TOKEN:
            raise Refusal("UnrecognizedClientException")
        date = handler.headers["X-Amz-Date"]
        sent = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if abs((utc_now() - sent).total_seconds()) > 300 or not date.startswith(day):
            raise Refusal("InvalidSignatureException")
        signed = {name: handler.headers[name] for name in names.split(";")}
        assert {"host", "x-amz-date", "x-amz-security-token"} <= set(signed)
        request = botocore.awsrequest.AWSRequest("POST", f"https://{handler.headers['Host']}/", headers=signed, data=body)
        request.context["timestamp"] = date
        auth = botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY_ID, SECRET, TOKEN), "logs", REGION)
        expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        if signature != expected:
            raise Refusal("InvalidSignatureException")

    def _act(self, action, body):
        group = body["logGroupName"]
        assert re.fullmatch(r"[.\-_/#A-Za-z0-9]{1,512}", group)
        if action == "CreateLogGroup":
            if group in self.groups:
                raise Refusal("ResourceAlreadyExistsException")
            self.groups[group] = {}
            return {}
        if group not in self.groups:
            raise Refusal("ResourceNotFoundException")
        streams, stream = self.groups[group], body["logStreamName"]
        assert re.fullmatch(r"[^:*]{1,512}", stream)
        if action == "CreateLogStream":
            if stream in streams:
                raise Refusal("ResourceAlreadyExistsException")
            streams[stream] = []
            return {}
        assert action == "PutLogEvents", action
        if stream not in streams:
            raise Refusal("ResourceNotFoundException")
        return self._put(streams[stream], body["logEvents"])

    def _put(self, stream, events):
        times = [event["timestamp"] for event in events]
        size = sum(len(event["message"].encode()) + 26 for event in events)
        if not 1 <= len(events) <= 10000 or size > 1048576 or times != sorted(times) or times[-1] - times[0] > 86400000:
            self.violations.append(f"{len(events)} events, {size} bytes, sorted {times == sorted(times)}")
            raise Refusal("InvalidParameterException")
        assert all(event["message"] for event in events)
        now = utc_now().timestamp() * 1000
        taken = [e for e in events if now - 14 * 86400000 < e["timestamp"] < now + 7200000]
        stream.extend(taken)
        rejected = {"tooOldLogEventEndIndex": len(events) - len(taken)} if len(taken) < len(events) else {}
        return {"nextSequenceToken": "1", **({"rejectedLogEventsInfo": rejected} if rejected else {})}
