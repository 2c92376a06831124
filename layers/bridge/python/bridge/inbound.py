"""HTTP requests as API Gateway delivers them, and the responses to them.

Source: API Gateway HTTP API, payload format 2.0; docs/api/native.md, section 1 (B3, B5).
"""

import base64
import hashlib
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property, wraps
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, quote

from aws_lambda_powertools import Logger
from msgspec import Struct

from bridge import clock, config
from bridge.errors import BodyTooLarge, BridgeError, Detail, InvalidRequest, NotAuthenticated
from bridge.models.caller import Caller
from bridge.models.run_context import ClientKey, RunContext
from bridge.strict_json import read_json

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
CLIENT_KEY = re.compile(r"[\x21-\x7e]{1,255}")
DEFAULT_RUN_MS = 25_000

# Our messages are plain text. By default, Powertools tries to parse each one as JSON.
log = Logger(utc=True, use_rfc3339=True, json_deserializer=str)
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Response(NamedTuple):
    """A response with its own status and headers. A plain body gets the endpoint's status."""

    body: object
    status: int
    headers: dict[str, str] = {}


class Request(Struct, dict=True):
    """One HTTP request. API Gateway has decoded `path`. Header names are in lower case."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    path_parameters: dict[str, str]
    body: bytes
    route: str
    source_ip: str
    id: str
    ends_at: datetime
    caller: Caller = Caller()

    @classmethod
    def from_event(cls, event: dict[str, Any], context: Any) -> "Request":
        """The request in an HTTP API event. `context` is Lambda's context object."""
        about = event["requestContext"]
        http = about["http"]
        text = event.get("body") or ""
        headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
        return cls(
            method=http["method"],
            path=event["rawPath"],
            raw_query=event.get("rawQueryString", ""),
            headers=headers,
            path_parameters=event.get("pathParameters") or {},
            body=base64.b64decode(text) if event.get("isBase64Encoded") else _encode(text),
            route=event.get("routeKey", ""),
            source_ip=_source_ip(headers, http.get("sourceIp", "")),
            id=request_id(event),
            ends_at=ends_at(context),
        )

    @cached_property
    def query(self) -> dict[str, str]:
        """The decoded query parameters. Raises InvalidRequest for one that is given twice."""
        if not self.raw_query:
            return {}
        pairs = parse_qsl(self.raw_query, keep_blank_values=True, errors="replace")
        times = Counter(name for name, _ in pairs)
        if twice := sorted(name for name in times if times[name] > 1):
            details = [Detail(name, "is given more than once") for name in twice]
            raise InvalidRequest("a query parameter is given more than once", details=details)
        return dict(pairs)

    @cached_property
    def last_query(self) -> dict[str, str]:
        """The decoded query parameters. If a name is repeated, its last value counts."""
        return dict(parse_qsl(self.raw_query, keep_blank_values=True, errors="replace"))

    @property
    def clean_target(self) -> str | None:
        """Where to redirect to: the clean path with the same query. None if the path is clean."""
        clean = clean_path(self.path)
        return f"{clean}?{self.raw_query}" if clean and self.raw_query else clean

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object, for any Content-Type (B3). Raises InvalidRequest."""
        return read_json(self.body)

    @property
    def run(self) -> RunContext:
        """The run context of this request, with the client's key (B17). Raises InvalidRequest."""
        return RunContext(
            cause="api",
            ends_at=self.ends_at,
            client_key=self._client_key(),
            source_ip=self.source_ip,
        )

    def _client_key(self) -> ClientKey | None:
        key = self.headers.get("idempotency-key")
        if key is None or self.method != "POST":
            return None
        if not CLIENT_KEY.fullmatch(key):
            message = "must have 1 to 255 visible ASCII characters"
            raise InvalidRequest(
                f"Idempotency-Key {message}", details=[Detail("Idempotency-Key", message)]
            )
        return self.keyed(key)

    def keyed(self, key: str) -> ClientKey:
        """A client's key with the fingerprint of this request (B17). Raises InvalidRequest."""
        body = self.json if self.body.strip() else {}
        # A retry may order the keys of its JSON differently, so they are sorted.
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
        request = f"{self.method}\n{self.path.rstrip('/')}\n{canonical}"
        fingerprint = hashlib.sha256(request.encode()).hexdigest()
        return ClientKey(key=key, fingerprint=fingerprint)


class ApiAdapter(Protocol):
    """What `endpoint` needs of an API adapter. `BODY_LIMIT` is in bytes."""

    BODY_LIMIT: int

    def authenticate(self, request: Request) -> Caller:
        """Who is calling. Raises NotAuthenticated, Forbidden, AuthUnavailable."""
        ...

    def render_error(self, error: BridgeError, request_id: str) -> object:
        """The error as this API shows it: a JSON body or a Response."""
        ...


def endpoint(
    adapter: ApiAdapter, *, status: int = 200, guests: bool = False
) -> Callable[..., Handler]:
    """Turn a function that takes a Request into a Lambda handler.

    The function returns the JSON body, or a Response if status or headers vary (202, a replay).
    The caller is authenticated first. A guest token is a credential that opens one record. A
    request without any credential gets a 401, unless `guests` is set.
    A BridgeError becomes its status with the adapter's error body. Any other exception is logged
    with its type and place and becomes a 500. The handler never raises and never logs a body.
    """

    def decorate(function: Callable[[Request], object]) -> Handler:
        def authenticated(request: Request) -> object:
            _check_size(request, adapter.BODY_LIMIT)
            request.caller = adapter.authenticate(request)
            log.thread_safe_append_keys(caller=request.caller.kind)
            if request.caller.is_nobody and not guests:
                raise NotAuthenticated("credentials are required")
            return function(request)

        return _http(authenticated, function, status, adapter.render_error)

    return decorate


def public(
    render_error: Callable[[BridgeError, str], object], *, body_limit: int | None = None
) -> Callable[..., Handler]:
    """Turn a function into a Lambda handler that needs no credentials or checks them itself.

    `body_limit` is in bytes. Errors are handled as by `endpoint`.
    """

    def decorate(function: Callable[[Request], object]) -> Handler:
        def limited(request: Request) -> object:
            if body_limit is not None:
                _check_size(request, body_limit)
            return function(request)

        return _http(limited, function, 200, render_error)

    return decorate


def _check_size(request: Request, limit: int) -> None:
    if len(request.body) > limit:
        raise BodyTooLarge(f"the body must have at most {limit} bytes")


def _http(
    act: Callable[[Request], object],
    function: Callable[[Request], object],
    status: int,
    render_error: Callable[[BridgeError, str], object],
) -> Handler:
    @wraps(function)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        started, known = clock.now(), request_id(event)
        log.thread_safe_clear_keys()
        route = event.get("routeKey", "")
        log.thread_safe_append_keys(request_id=known, route=route, caller="nobody")
        try:
            response = respond(status, act(Request.from_event(event, context)))
            outcome = "answered"
        except BridgeError as error:
            response, outcome = respond(error.status, render_error(error, known)), error.code
            response["headers"] |= _headers_of(error)
        except Exception as error:  # noqa: BLE001 - a caller gets a 500, never a traceback
            log_unhandled(error)
            hidden = BridgeError("something went wrong on our side")
            response, outcome = respond(500, render_error(hidden, known)), hidden.code
        response["headers"]["X-Request-ID"] = known
        duration = round((clock.now() - started).total_seconds() * 1000)
        log.info("request", status=response["statusCode"], outcome=outcome, duration_ms=duration)
        return response

    return handler


def render_plain_error(error: BridgeError, request_id: str) -> dict[str, Any]:
    """The error body for a path that belongs to none of the APIs."""
    return {"error": str(error), "code": error.code, "request_id": request_id}


def _headers_of(error: BridgeError) -> dict[str, str]:
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.replayed:
        headers["Idempotent-Replayed"] = "true"
    return headers


def log_unhandled(error: BaseException) -> None:
    """Log the type and place of an exception. Its message may quote a body or a token."""
    places, trace = [], error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    log.error("unhandled", error_type=type(error).__qualname__, places=places)


def respond(status: int, response: object) -> dict[str, Any]:
    """The response of a Lambda proxy integration. A 204 has no body and no Content-Type."""
    body, headers = response, {}
    if isinstance(response, Response):
        body, status, headers = response.body, response.status, dict(response.headers)
    if status == 204:
        return {"statusCode": 204, "headers": headers}
    headers = {"Content-Type": "application/json"} | headers
    return {"statusCode": status, "headers": headers, "body": _to_json(body)}


def ends_at(context: Any) -> datetime:
    """The time at which Lambda ends this run."""
    left = getattr(context, "get_remaining_time_in_millis", lambda: DEFAULT_RUN_MS)()
    return clock.now() + timedelta(milliseconds=left)


def request_id(event: dict[str, Any]) -> str:
    """The caller's X-Request-ID if it is safe to log, otherwise the gateway's request id."""
    for name, value in (event.get("headers") or {}).items():
        if name.lower() == "x-request-id" and REQUEST_ID.fullmatch(value):
            return str(value)
    return str(event.get("requestContext", {}).get("requestId") or uuid.uuid4())


def _source_ip(headers: dict[str, str], gateway: str) -> str:
    """The client's address, from the gateway or from CloudFront.

    Anybody can send CloudFront's header, so it counts only if TRUST_PROXY is set.
    """
    viewer = headers.get("cloudfront-viewer-address", "")
    return viewer.rpartition(":")[0] if viewer and config.setting("TRUST_PROXY") else gateway


def _encode(text: str) -> bytes:
    # A lone surrogate must reach the body parser: the answer is a 400 (B3) and not a 500.
    return text.encode("utf-8", "surrogatepass")


def clean_path(path: str) -> str | None:
    """The path without doubled or trailing slashes, encoded for a Location header.

    None if the path is already clean.
    """
    clean = "/" + "/".join(part for part in path.split("/") if part)
    return quote(clean, safe="/") if clean != path else None
