"""A simulator of Flowless, which checks the sessions of users: real HTTP, faults, a log.

POST /auth/bridge/validate. Source: docs/api/native.md, section 2 (B7, mode `flowless`).
"""

import json
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Self, get_args

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from local.stripe.server import Server, drop

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/auth/bridge/validate"
FIELDS = frozenset({"session_id", "validation_mode", "ip", "user_agent"})
KEPT = 5000
LIFE = timedelta(hours=1)

Kind = Literal["down", "slow", "500", "html_502", "garbage"]
"""down: the connection is closed without a response. garbage: 200 and a body that is not JSON."""


class Refused(Exception):
    """The simulator refuses a request. `status` is the HTTP status of the response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Exchange:
    """One request as it was received. `status` is None if there was no response."""

    method: str
    path: str
    headers: Headers
    body: bytes
    at: float
    status: int | None = None


@dataclass
class _Fault:
    """How to fail. `left`: for so many requests, None for all. `seconds`: how slow `slow` is."""

    kind: Kind
    left: int | None
    seconds: float


@dataclass
class Flowless:
    """The simulator. `sessions` are by session id, and only their user_id is required.

    A session has {user_id, email, name, last_name, phone, user_type, organizations: {id: role},
    expires_at}. `secret` is the required X-Bridge-Secret. None accepts any, but there must be one.
    """

    port: int = 0
    secret: str | None = None
    sessions: dict[str, dict[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._server = Server(self._application, self.port)
        self._log: deque[Exchange] = deque(maxlen=KEPT)
        self._faults: list[_Fault] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        """The address without a path."""
        return self._server.url

    @property
    def requests(self) -> list[Exchange]:
        """The requests since the last reset, oldest first."""
        with self._lock:
            return list(self._log)

    def start(self) -> Self:
        """Answer requests from now on."""
        self._stopping.clear()
        self._server.start()
        return self

    def stop(self) -> None:
        """Close the port. Requests that a `slow` fault delays are answered at once."""
        self._stopping.set()
        self._server.stop()

    def fault(self, kind: Kind, times: int | None = 1, seconds: float = 5.0) -> None:
        """Let the next `times` requests fail, or all of them with None.

        `seconds` is the delay of `slow`. Raises ValueError for an unknown kind.
        """
        if kind not in get_args(Kind):
            raise ValueError(f"unknown kind of fault {kind!r}")
        with self._lock:
            self._faults.append(_Fault(kind, times, seconds))

    def reset(self) -> None:
        """Remove all sessions and faults, and clear the log."""
        with self._lock:
            self.sessions.clear()
            self._faults.clear()
            self._log.clear()

    def _application(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request = Request(environ)
        exchange = Exchange(
            request.method,
            request.path,
            Headers(list(request.headers)),
            request.get_data(),
            time.time(),
        )
        with self._lock:
            self._log.append(exchange)
        fault = self._take_fault()
        if fault is not None and fault.kind == "slow":
            self._stopping.wait(fault.seconds)
        if fault is not None and fault.kind == "down":
            drop(environ)
        response = _faulty(fault) or self._answer(exchange)
        exchange.status = response.status_code
        return response(environ, start_response)

    def _take_fault(self) -> _Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.left is None:
                    return fault
                if fault.left > 0:
                    fault.left -= 1
                    return fault
        return None

    def _answer(self, exchange: Exchange) -> Response:
        try:
            return _json(200, self._validate(exchange))
        except Refused as refusal:
            return _json(refusal.status, {"success": False, "error": str(refusal)})

    def _validate(self, exchange: Exchange) -> dict[str, object]:
        if (exchange.method, exchange.path) != ("POST", PATH):
            raise Refused(404, f"there is no {exchange.method} {exchange.path}")
        secret = exchange.headers.get("X-Bridge-Secret")
        if not secret or self.secret not in (None, secret):
            raise Refused(403, "the bridge secret is wrong")
        session_id = _session_id(exchange)
        session = self.sessions.get(session_id)
        if session is None:
            raise Refused(401, "unknown session")
        expires_at = _time(session.get("expires_at"))
        if expires_at <= datetime.now(UTC):
            raise Refused(401, "the session has expired")
        return {
            "success": True,
            "user": _user(session),
            "session": {"id": session_id},
            "expires_at": expires_at.isoformat().replace("+00:00", "Z"),
        }


def _session_id(exchange: Exchange) -> str:
    """The session id. Checks the body, and that the header has the same id. Raises Refused."""
    try:
        body = json.loads(exchange.body)
    except ValueError as error:
        raise Refused(400, "the body is not JSON") from error
    if exchange.headers.get("Content-Type", "").partition(";")[0] != "application/json":
        raise Refused(400, "the content type is not application/json")
    if not isinstance(body, dict) or body.keys() != FIELDS:
        raise Refused(400, f"the body must have exactly {', '.join(sorted(FIELDS))}")
    session_id = body["session_id"]
    if not isinstance(session_id, str) or not session_id:
        raise Refused(400, "session_id must be a text")
    if body["validation_mode"] != "standard":
        raise Refused(400, "validation_mode must be standard")
    if exchange.headers.get("X-Session-ID") != session_id:
        raise Refused(400, "X-Session-ID is not the session_id of the body")
    return session_id


def _user(session: Mapping[str, object]) -> dict[str, object]:
    return {
        "id": session["user_id"],
        "email": session.get("email"),
        "name": session.get("name"),
        "last_name": session.get("last_name"),
        "phone": session.get("phone"),
        "user_type": session.get("user_type", "user"),
        "organizations": session.get("organizations", {}),
    }


def _time(given: object) -> datetime:
    """The end of a session. Without one, it is in an hour."""
    if isinstance(given, datetime):
        return given.astimezone(UTC)
    if isinstance(given, str):
        return datetime.fromisoformat(given).astimezone(UTC)
    return datetime.now(UTC) + LIFE


def _faulty(fault: _Fault | None) -> Response | None:
    if fault is None or fault.kind == "slow":
        return None
    if fault.kind == "500":
        return _json(500, {"success": False, "error": "internal error"})
    if fault.kind == "html_502":
        return Response("<html>502 Bad Gateway</html>", status=502, mimetype="text/html")
    return Response("{", status=200, mimetype="application/json")


def _json(status: int, body: Mapping[str, object]) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")
