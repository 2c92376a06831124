"""Turns an HTTP request into an HTTP API event (payload 2.0), and a result into an HTTP answer.

Source: AWS API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs";
what the guide leaves open: docs/deployment.md, section 3.
"""

import base64
import json
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

Pairs = list[tuple[str, str]]
TEXT_TYPES = ("application/json", "application/javascript", "application/xml")
TEXT_SUFFIXES = ("+json", "+xml")
HOP_BY_HOP = ("connection", "content-length", "transfer-encoding")  # the gateway writes these


class BadAnswer(Exception):
    """A function's result that API Gateway cannot turn into an HTTP answer."""


@dataclass(frozen=True)
class Request:
    """An HTTP request. `target` is its path, `?` and query as sent, still encoded."""

    method: str
    target: str
    headers: Pairs
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def path(self) -> str:
        """The percent-decoded path. HTTP API even cuts it at a decoded `?`."""
        encoded = self.target.split("?", 1)[0].encode("latin-1", "replace")
        return unquote_to_bytes(encoded).decode("utf-8", "replace").split("?", 1)[0]

    @property
    def raw_query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """All values of a header, joined by commas. None if it was not sent."""
        values = [value for key, value in self.headers if key.lower() == name]
        return ",".join(values) if values else None


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    headers: Pairs
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header. Upper and lower case of its name are the same."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        """The body, parsed as JSON."""
        return json.loads(self.body)


def message(status: int, text: str) -> Answer:
    """An answer of the gateway itself, in the form of API Gateway."""
    body = json.dumps({"message": text}).encode()
    return Answer(status, [("content-type", "application/json")], body)


def event_for(
    request: Request, route_key: str = "$default", parameters: dict[str, str] | None = None
) -> dict[str, Any]:
    """The payload 2.0 event for a request. Fields without a value are absent, not null."""
    host = request.header("host") or "localhost"
    now = time.time()
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.path,
        "rawQueryString": request.raw_query,
        "headers": _headers(request),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.split(".")[0].split(":")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent") or "",
            },
            "requestId": request.id,
            "routeKey": route_key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies := request.header("cookie"):
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";") if cookie.strip()]
    if query := _query(request.raw_query):
        event["queryStringParameters"] = query
    if parameters:
        event["pathParameters"] = parameters
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def _headers(request: Request) -> dict[str, str]:
    """The event's headers: names in lower case, repeats joined, no cookies, the proxy's added."""
    names = {name.lower() for name, _ in request.headers} - {"cookie"}
    headers = {name: request.header(name) or "" for name in sorted(names)}
    headers.setdefault("content-length", str(len(request.body)))
    before = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = ", ".join(filter(None, (before, request.source_ip)))
    headers["x-forwarded-port"], headers["x-forwarded-proto"] = "443", "https"
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}")
    return headers


def _query(raw: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True, errors="replace"):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body(request: Request) -> tuple[str, bool]:
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in TEXT_TYPES or kind.endswith(TEXT_SUFFIXES):
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass  # it is not UTF-8, so it is sent in base64 like other bytes
    return base64.b64encode(request.body).decode(), True


def answer_from(result: Any) -> Answer:
    """The HTTP answer for a function's result. Without statusCode, the result is the JSON body.

    Raises BadAnswer for a result for which API Gateway would send a 500.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        body = json.dumps(result).encode()
        return Answer(200, [("content-type", "application/json")], body)
    try:
        status, body = int(result["statusCode"]), _bytes(result)
        own = (result.get("headers") or {}).items()
        headers = [(str(name), _text(value)) for name, value in own]
        headers += [("set-cookie", _text(value)) for value in result.get("cookies") or []]
    except (AttributeError, TypeError, ValueError) as error:
        raise BadAnswer(str(error)) from error
    if not 100 <= status <= 599 or _breaks_out(headers):
        raise BadAnswer(f"status {status} or a line break in a header")
    headers = [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    return Answer(status, headers, body)


def _bytes(result: dict[str, Any]) -> bytes:
    body = result.get("body") or ""
    if not isinstance(body, str):
        raise BadAnswer("the body is no string")
    return base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise BadAnswer("a header is neither text nor a number")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _breaks_out(headers: Iterable[tuple[str, str]]) -> bool:
    return any(mark in text for pair in headers for text in pair for mark in "\r\n\0")
