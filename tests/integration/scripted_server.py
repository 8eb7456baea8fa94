"""A TLS server that answers as RFC 9110 says, until a behaviour takes over: what no real server does on purpose."""

import email.utils
import hashlib
import os
import socket
import ssl
import struct
import threading
import time


class Request:
    def __init__(self, head):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ", 2)
        self.fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            if name:
                self.fields[name.lower()] = value.strip()

    def range(self):
        """(first, last or None), or None."""
        text = self.fields.get("range", "")
        if not text.startswith("bytes="):
            return None
        first, _, last = text[6:].partition("-")
        return int(first), int(last) if last else None

    @property
    def is_check(self):
        """Only the first bytes are wanted."""
        wanted = self.range()
        return wanted is not None and wanted[1] is not None


class Exchange:
    """One request and the connection that it came on."""

    def __init__(self, server, connection, request):
        self.server, self.connection, self.request = server, connection, request

    def send(self, data):
        self.connection.sendall(data)

    def head(self, status, fields=(), reason="Reason"):
        lines = [f"HTTP/1.1 {status} {reason}", *[f"{name}: {value}" for name, value in fields]]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def empty(self, status, *fields):
        self.send(self.head(status, [*fields, ("Content-Length", 0)]))

    def ordinary(self):
        """Status, fields and body of the right answer."""
        server, request = self.server, self.request
        fields = [("ETag", server.tag), ("Last-Modified", server.modified), ("Accept-Ranges", "bytes")]
        if server.tag in request.fields.get("if-none-match", ""):
            return 304, fields, b""
        wanted = request.range()
        if wanted is None or request.fields.get("if-range", server.tag) != server.tag:
            return 200, fields, server.body
        first, last = wanted
        if first >= len(server.body):
            return 416, [*fields, ("Content-Range", f"bytes */{len(server.body)}")], b""
        last = len(server.body) - 1 if last is None else min(last, len(server.body) - 1)
        fields.append(("Content-Range", f"bytes {first}-{last}/{len(server.body)}"))
        return 206, fields, server.body[first:last + 1]

    def answer(self):
        status, fields, body = self.ordinary()
        if status != 304:
            fields.append(("Content-Length", len(body)))
        self.send(self.head(status, fields) + body)

    def reset(self):
        """A TCP reset instead of an orderly end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionAbortedError

    def leave(self):
        """FIN without a word of TLS."""
        raise ConnectionAbortedError


class ScriptedServer:
    """behaviour(exchange) answers a request and returns True, or returns False for the ordinary answer."""

    def __init__(self, certificate, body=b"", address="127.0.0.1"):
        self.set_body(body)
        self.behaviour = lambda exchange: False
        self.requests, self.peers, self.errors = [], [], []
        self.left = []  # how long a client stayed that was given nothing
        self.targets = set()
        self.connections = 0
        self.sent = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._listener = socket.create_server((address, 0))
        self.port = self._listener.getsockname()[1]
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def set_body(self, body, modified=None):
        self.body = body
        self.tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        self.modified = email.utils.formatdate(modified or 1735689600, usegmt=True)

    @property
    def context(self):
        return self._context

    def url(self, target="/bess.bin", host="127.0.0.1", user=""):
        return f"https://{user}{host}:{self.port}{target}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                raw, peer = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self.peers.append(peer[0])
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw):
        self._open.add(raw)
        try:
            raw.settimeout(60)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = self._context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=True,
                                                   do_handshake_on_connect=False)
            self._handshake(connection)
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    byte = connection.recv(1)
                    if not byte:
                        return
                    head += byte
                request = Request(head[:-4])
                self.requests.append(request)
                exchange = Exchange(self, connection, request)
                if not self.behaviour(exchange):
                    exchange.answer()
        except (OSError, ValueError) as error:
            self.errors.append(error)
        finally:
            self._open.discard(raw)
            for end in (locals().get("connection"), raw):
                if end is not None:
                    end.close()

    @staticmethod
    def _handshake(connection):
        """A refusal's alert has to arrive: closing at once would reset the connection and overtake it."""
        try:
            connection.do_handshake()
        except ssl.SSLError:
            with socket.socket(fileno=os.dup(connection.fileno())) as plain:
                plain.shutdown(socket.SHUT_WR)
                plain.settimeout(1)
                while plain.recv(4096):
                    pass
            raise

    # ---- what was asked
    def downloads(self):
        return [request for request in self.requests if not request.is_check]

    def offsets(self):
        return [request.range()[0] for request in self.downloads()]


class Proxy:
    """TCP between a client and a server: counts, and does what a bad link does."""

    def __init__(self, port, source="127.0.0.1"):
        self.target = port
        self.source = source
        self.to_client = self.to_server = 0
        self.connections = 0
        self.cut_after = None      # bytes to the client, in all; once
        self.corrupt_after = None  # one bit flips there; once
        self.stall_after = None    # nothing more passes on that connection; once
        self.refuse = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._pairs = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def url(self, target="/bess.bin"):
        return f"https://127.0.0.1:{self.port}{target}"

    def drop(self):
        """All connections that are open now."""
        for pair in list(self._pairs):
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refuse:
                client.close()
                continue
            self.connections += 1
            try:
                server = socket.create_connection(("127.0.0.1", self.target), source_address=(self.source, 0))
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (client, server)
            self._pairs.add(pair)
            threading.Thread(target=self._pump, args=(pair, client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(pair, server, client, True), daemon=True).start()

    def _pump(self, pair, source, sink, down):
        try:
            while data := source.recv(16384):
                if down:
                    data = self._disturb(data)
                if data is None:
                    time.sleep(3600)
                sink.sendall(data)
                if down:
                    self.to_client += len(data)
                else:
                    self.to_server += len(data)
        except OSError:
            pass
        finally:
            self._pairs.discard(pair)
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def _disturb(self, data):
        end = self.to_client + len(data)
        if self.cut_after is not None and end >= self.cut_after:
            self.cut_after = None
            raise ConnectionAbortedError
        if self.corrupt_after is not None and end > self.corrupt_after:
            at = max(0, self.corrupt_after - self.to_client)
            self.corrupt_after = None
            data = data[:at] + bytes([data[at] ^ 4]) + data[at + 1:]
        if self.stall_after is not None and end > self.stall_after:
            self.stall_after = None
            return None
        return data
