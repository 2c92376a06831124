"""The HTTP/1.1 server of the local gateway. It reads whole requests and sends whole answers.

It is based on the standard library's server, because werkzeug's closes every connection, and
clients of an API keep theirs open. Source: RFC 9112.
"""

import http.server
import json
import socketserver
import sys
import threading
from collections.abc import Callable
from typing import Any

from local.event import Answer, Request, message
from local.gateway import BODY_LIMIT

Respond = Callable[[Request], Answer]
DRAIN_LIMIT = 64 * 1024 * 1024


class BadRequest(Exception):
    """The request does not say where its body ends, or its body is incomplete."""


class TooLarge(Exception):
    """The body is larger than the gateway reads."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Listens on 127.0.0.1 as soon as it is created. Port 0 takes a free port.

    Raises OSError if the port is taken.
    """

    daemon_threads = True
    request_queue_size = 1024  # 200 clients may connect at once, and none may be refused

    def __init__(self, port: int, respond: Respond) -> None:
        self.respond = respond
        super().__init__(("127.0.0.1", port), _Connection)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's method would ask a DNS server
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        """Answer requests in threads of this process."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop answering, and close the port."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Connection(http.server.BaseHTTPRequestHandler):
    """One client's connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 75  # seconds: closes an idle connection, and one that never completes its request
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):  # the gateway decides which methods are allowed
            return self._serve
        raise AttributeError(name)

    def handle_expect_100(self) -> bool:
        """Refuse a body that is too large before the client sends it."""
        if _length(self.headers.get("content-length")) > BODY_LIMIT:
            self._send(message(413, "Request Entity Too Large"), close=True)
            return False
        return super().handle_expect_100()

    def _serve(self) -> None:
        try:
            body = self._read_body()
        except BadRequest:
            self._send(message(400, "Bad Request"), close=True)
            return
        except TooLarge:
            self._send(message(413, "Request Entity Too Large"), close=True)
            self._drain()
            return
        request = Request(
            method=self.command,
            target=_origin_form(self.requestline.split()[1]),
            headers=list(self.headers.items()),
            body=body,
            source_ip=self.client_address[0],
        )
        self._send(self.server.respond(request))

    def _read_body(self) -> bytes:
        encoding = self.headers.get("transfer-encoding", "").strip().lower()
        lengths = self.headers.get_all("content-length", [])
        if encoding:
            if encoding != "chunked" or lengths:
                raise BadRequest
            return self._read_chunks()
        if len(set(lengths)) > 1:
            raise BadRequest
        length = _length(lengths[0] if lengths else None)
        if length < 0:
            raise BadRequest
        if length > BODY_LIMIT:
            raise TooLarge
        body = self.rfile.read(length)
        if len(body) < length:
            raise BadRequest
        return body

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := _hexadecimal(self.rfile.readline(1024).split(b";")[0]):
            if len(body) + size > BODY_LIMIT:
                raise TooLarge
            body += self.rfile.read(size)
            if self.rfile.readline(3) not in (b"\r\n", b"\n"):
                raise BadRequest
        while self.rfile.readline(65_537) not in (b"\r\n", b"\n", b""):
            pass  # trailers
        return bytes(body)

    def _drain(self) -> None:
        """Read what the client still sends. Otherwise it gets a reset instead of the answer."""
        self.connection.settimeout(1)
        left = DRAIN_LIMIT
        while left > 0 and (data := self.rfile.read1(65_536)):
            left -= len(data)

    def _send(self, answer: Answer, *, close: bool = False) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("content-length", str(len(answer.body)))
        if close:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.wfile.write(answer.body)
        self.wfile.flush()

    def send_response(self, code: int, message: str | None = None) -> None:
        self.send_response_only(code, message)
        self.send_header("date", self.date_time_string())

    def send_error(self, code: int, message: str | None = None, *_: object) -> None:
        """Send an error of the standard library (a broken request line, 100 headers) as JSON."""
        self.command = getattr(self, "command", None) or ""
        phrase = message or self.responses.get(code, ("Error", ""))[0]
        body = json.dumps({"message": phrase}).encode()
        self._send(Answer(code, [("content-type", "application/json")], body), close=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
        pass


def _origin_form(target: str) -> str:
    """The target without scheme and host: a proxy's client sends http://host/path."""
    if target[:7].lower() != "http://" and target[:8].lower() != "https://":
        return target
    path = target.partition("://")[2].partition("/")[2]
    return f"/{path}"


def _length(text: str | None) -> int:
    """The Content-Length, 0 if there is none, -1 if it is not a number."""
    stripped = (text or "0").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() else -1


def _hexadecimal(digits: bytes) -> int:
    try:
        size = int(digits.strip(), 16)
    except ValueError:
        raise BadRequest from None
    if size < 0:
        raise BadRequest
    return size
