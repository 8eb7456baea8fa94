"""Server behaviours x {first try, resume}: the update ends with the very bytes of the server in flash, or with the
error that names the fault, and the next try works in the same run."""

import time

import pytest

from scripted_server import Proxy


def chunked(exchange, sizes, extension="", trailer=""):
    """The whole body in chunks of these sizes, again and again."""
    body, at, index = exchange.server.body, 0, 0
    exchange.send(exchange.head(200, [("ETag", exchange.server.tag), ("Transfer-Encoding", "chunked")]))
    while at < len(body):
        piece = body[at:at + sizes[index % len(sizes)]]
        exchange.send(f"{len(piece):x}{extension}\r\n".encode() + piece + b"\r\n")
        at, index = at + len(piece), index + 1
    exchange.send(f"0\r\n{trailer}\r\n".encode())
    return True


def partly(share=None, left=0, how="leave"):
    """Announces everything, sends a part, and is gone."""
    def behave(exchange):
        status, fields, body = exchange.ordinary()
        n = len(body) - left if share is None else int(len(body) * share)
        exchange.send(exchange.head(status, [*fields, ("Content-Length", len(body))]) + body[:n])
        getattr(exchange, how)()
    return behave


def status_answer(status, *fields):
    def behave(exchange):
        exchange.empty(status, *fields)
        return True
    return behave


def with_range(text, shift=0):
    """A 206 that says something else than what was asked for."""
    def behave(exchange):
        first = exchange.request.range()[0]
        total = len(exchange.server.body)
        body = exchange.server.body[first:]
        fields = [("ETag", exchange.server.tag), ("Content-Length", len(body) + shift),
                  ("Content-Range", text.format(before=max(first - 1, 0), first=first, next=first + 1, end=total - 1,
                                                total=total))]
        exchange.send(exchange.head(206, fields) + body)
        return True
    return behave


def whole(exchange):
    body = exchange.server.body
    exchange.send(exchange.head(200, [("ETag", exchange.server.tag), ("Content-Length", len(body))]) + body)
    return True


def whole_until_close(exchange):
    exchange.send(exchange.head(200, [("ETag", exchange.server.tag), ("Connection", "close")]) + exchange.server.body)
    exchange.leave()


def short_until_close(exchange):
    exchange.send(exchange.head(200, [("ETag", exchange.server.tag), ("Connection", "close")])
                  + exchange.server.body[:70000])
    exchange.leave()


def byte_by_byte_head(exchange):
    status, fields, body = exchange.ordinary()
    fields += [("Content-Length", len(body))]
    for byte in exchange.head(status, fields):
        exchange.send(bytes([byte]))
    exchange.send(body)
    return True


def large_head(exchange):
    status, fields, body = exchange.ordinary()
    fields += [*[(f"X-Fill-{i}", "x" * 100) for i in range(60)], ("Content-Length", len(body))]
    exchange.send(exchange.head(status, fields) + body)
    return True


def interim(exchange):
    exchange.send(exchange.head(103, [("Link", "</x>")]))
    return False


def only_a_piece(exchange):
    """A server that gives no more than 40 KiB at a time."""
    first = exchange.request.range()[0]
    body = exchange.server.body
    last = min(first + 40960, len(body)) - 1
    exchange.send(exchange.head(206, [("ETag", exchange.server.tag), ("Content-Length", last - first + 1),
                                      ("Content-Range", f"bytes {first}-{last}/{len(body)}")]) + body[first:last + 1])
    return True


def wait_for_the_client_to_leave(exchange, patience):
    """It has to: this server would wait for ever."""
    exchange.connection.settimeout(patience)
    begin = time.monotonic()
    try:
        exchange.connection.recv(1)
    except OSError:
        pass
    exchange.server.left.append(time.monotonic() - begin)
    exchange.leave()


def silent(exchange):
    status, fields, body = exchange.ordinary()
    exchange.send(exchange.head(status, [*fields, ("Content-Length", len(body))]) + body[:9000])
    wait_for_the_client_to_leave(exchange, 10)


def dripping(exchange):
    status, fields, body = exchange.ordinary()
    exchange.send(exchange.head(status, [*fields, ("Content-Length", len(body))]))
    begin = time.monotonic()
    try:
        for at in range(200):
            exchange.send(body[at:at + 1])
            time.sleep(0.1)  # three seconds of the device's time
    except OSError:
        pass
    assert time.monotonic() - begin < 15
    exchange.server.left.append(time.monotonic() - begin)
    exchange.leave()


def compressed(exchange):
    exchange.send(exchange.head(200, [("Content-Encoding", "gzip"), ("Content-Length", 4)]) + b"\x1f\x8b\x08\x00")
    return True


def not_http(exchange):
    exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    exchange.leave()


def corrupted(exchange):
    status, fields, body = exchange.ordinary()
    at = len(body) // 2
    body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
    exchange.send(exchange.head(status, [*fields, ("Content-Length", len(body))]) + body)
    return True


def other_file(exchange):
    exchange.server.set_body(exchange.server.other)
    return False


def redirected(location):
    """From the first target only; {port} stands for the server's."""
    def behave(exchange):
        if exchange.request.target != "/bess.bin":
            exchange.server.targets.add(exchange.request.target)
            return False
        exchange.empty(302, ("Location", location.format(port=exchange.server.port)))
        return True
    return behave


def loop(exchange):
    exchange.empty(307, ("Location", "/bess.bin"))
    return True


ALWAYS = 1000
SERVER, AUTHENTICATION, VALIDATION = 3, 4, 6  # ota_error_t
ERRORS = {"other credentials (401)": AUTHENTICATION, "forbids this download (403)": AUTHENTICATION,
          "changed": VALIDATION, "checksum is wrong": VALIDATION}
# name: behaviour, how often, the error that the first attempt ends with (None: it ends well by itself)
BEHAVIOURS = {
    "ordinary": (lambda exchange: False, 0, None),
    "no-ranges": (whole, ALWAYS, None),
    "chunks-of-one-byte-and-more": (lambda e: chunked(e, [1, 4096, 71680], ";name=value", "X-Sum: 1\r\n"), ALWAYS, None),
    "no-length-close": (whole_until_close, ALWAYS, None),
    "no-length-cut": (short_until_close, 1, None),
    "fin-at-half": (partly(share=0.5), 1, None),
    "fin-before-the-last-byte": (partly(left=1), 1, None),
    "fin-after-the-head": (partly(share=0), 1, None),
    "reset-at-half": (partly(share=0.5, how="reset"), 1, None),
    "reset-without-an-answer": (lambda exchange: exchange.reset(), 2, None),
    "pieces-of-40-KiB": (only_a_piece, ALWAYS, None),
    "head-byte-by-byte": (byte_by_byte_head, ALWAYS, None),
    "head-of-6-KiB": (large_head, ALWAYS, None),
    "interim-answer": (interim, ALWAYS, None),
    "silent-in-the-body": (silent, 1, None),
    "dripping": (dripping, 1, None),
    "500-twice": (status_answer(500), 2, None),
    "503-retry-after": (status_answer(503, ("Retry-After", "20")), 1, None),
    "429": (status_answer(429), 1, None),
    "redirect-relative": (redirected("./x/../moved.bin?x=1/../2"), ALWAYS, None),
    "A15-redirect-to-query": (redirected("?q=1"), ALWAYS, None),
    "A15-redirect-to-parent": (redirected("../x.bin"), ALWAYS, None),
    "A15-redirect-to-network-path": (redirected("//127.0.0.1:{port}/x.bin"), ALWAYS, None),
    "redirect-same-origin": (redirected("/moved.bin"), ALWAYS, None),
    "redirect-loop": (loop, ALWAYS, "more than ten redirects"),
    "redirect-to-http": (status_answer(302, ("Location", "http://127.0.0.1:1/bess.bin")), 1, "redirected away from https"),
    "redirect-nowhere": (status_answer(302), 1, "without a usable Location"),
    "401": (status_answer(401, ("WWW-Authenticate", "Basic realm=x")), 1, "other credentials (401)"),
    "403": (status_answer(403), 1, "forbids this download (403)"),
    "404": (status_answer(404), 1, "no such file (404)"),
    "204": (status_answer(204), 1, "unexpected status"),
    "304-unasked": (status_answer(304), 1, "does not speak HTTP properly"),
    "416": (status_answer(416), 1, "changed"),
    "range-one-early": (with_range("bytes {before}-{end}/{total}", 1), 1, "another range"),
    "range-one-late": (with_range("bytes {next}-{end}/{total}", -1), 1, "another range"),
    "range-of-other-length": (with_range("bytes {first}-{end}/{total}", 5), 1, "another range"),
    "range-malformed": (with_range("bytes {first}-/{total}"), 1, "another range"),
    "compressed": (compressed, 1, "compressed"),
    "not-http": (not_http, 1, "does not speak HTTP properly"),
    "bit-error-in-the-body": (corrupted, 1, "checksum is wrong"),
    "other-file": (other_file, 1, "changed"),
}


@pytest.mark.parametrize("stage", ["first", "resume"])
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_server(bench, name, stage, matrix):
    behaviour, times, error = BEHAVIOURS[name]
    state = {"cut": stage == "first", "left": times}

    def script(exchange):
        if exchange.request.is_check:
            return False
        if not state["cut"]:
            state["cut"] = True
            return partly(share=0.5)(exchange)
        if state["left"] == 0:
            return False
        state["left"] -= 1
        return behaviour(exchange)

    bench.server.behaviour = script
    bench.power_on()
    failure = bench.update()
    if error is None:
        assert failure is None
    else:
        assert failure is not None and error in failure, failure
        assert bench.twin.status()["error"] == ERRORS.get(error, SERVER)
        bench.server.behaviour = lambda exchange: False
        # Nothing is left behind: the next try works in the same run.
        assert bench.update() is None
    assert bench.staged() == bench.server.body
    if stage == "resume":
        assert max(bench.server.offsets()) > 0 or error is not None
    if name in ("silent-in-the-body", "dripping"):
        # The device went, by its own timer; the server notices when it sends the next bytes.
        end = time.monotonic() + 5
        while not bench.server.left and time.monotonic() < end:
            time.sleep(0.05)
        assert len(bench.server.left) == 1 and bench.server.left[0] < 9
    if name == "A15-redirect-to-query":
        assert bench.server.targets == {"/bess.bin?q=1"}
    assert all(request.method == "GET" for request in bench.server.requests)
    matrix.append((stage, error is None))


PROXIES = ["cut", "corrupt", "stall", "address"]


@pytest.mark.parametrize("fault", PROXIES)
def test_link(bench, fault, matrix):
    """The same through a link that cuts, corrupts, stalls, or comes from another address afterwards."""
    with Proxy(bench.server.port) as proxy:
        if fault == "address":
            def move(exchange):
                if exchange.request.is_check or proxy.source != "127.0.0.1":
                    return False
                proxy.source = "127.0.0.2"
                return partly(share=0.5)(exchange)
            bench.server.behaviour = move
        else:
            setattr(proxy, {"cut": "cut_after", "corrupt": "corrupt_after", "stall": "stall_after"}[fault], 80000)
        bench.power_on(proxy.url())
        assert bench.update() is None
        assert bench.staged() == bench.server.body
        assert len(bench.server.offsets()) == 2 and bench.server.offsets()[1] > 20000
        if fault == "cut":  # what came before the break is not sent again; 8 KiB for two handshakes
            assert proxy.to_client < len(bench.server.body) + 16384 + 8192
        if fault == "address":
            assert bench.server.peers[-1] == "127.0.0.2"
    matrix.append(("link", True))
