"""The shape of every response, and a client that checks each response against it.

Source: docs/api/native.md, section 1 (B5).
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from local import template
from local.event import Answer, Request
from local.gateway import Gateway
from tests.contracts.alternative_shape import assert_alternative
from tests.contracts.payments_ai_shape import assert_payments_ai

CODE = re.compile(r"[a-z]+(_[a-z]+)*")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
OPTIONAL = {"details": list, "decline_code": str | None, "payment_id": str}
LONGEST_S = 10.0
"""How long a request may take, on a machine on which `slowness` is 1."""
REFERENCE_ROUNDS, REFERENCE_S = 40_000, 1.2

MONRI_FIELDS = {
    "status", "id", "uuid", "merchant_customer_id", "description", "email", "name", "phone", "city",
    "country", "zip_code", "address", "metadata", "deleted", "created_at", "updated_at",
    "deleted_at",
}  # fmt: skip

FUNCTIONS = template.read().functions
SHOPS = "/v1/public-api/"
EVERY_ROUTE = [
    (name, route.method, route.path)
    for name, function in FUNCTIONS.items()
    for route in function.routes
    if route.path != "$default"
]
"""Every function with an HTTP route, with each of its routes: function, method, path."""
ROUTES = [each for each in EVERY_ROUTE if not each[2].startswith(SHOPS)]
"""Without payments.ai's: its bodies are not models, so test_payments_ai.py covers them."""


def assert_contract(answer: Answer, target: str, *, may_fail: bool = False) -> None:
    """The response has the shape of the API that the target belongs to.

    `may_fail`: a dependency was made to fail, so 502, 503 and 504 are allowed.
    """
    headers = {name.lower(): value for name, value in answer.headers}
    context = (answer.status, headers, answer.body[:500])
    assert answer.status < 500 or (may_fail and answer.status in (502, 503, 504)), context
    assert headers["x-request-id"], context
    if answer.status == 204:
        assert answer.body == b"", context
        assert "content-type" not in headers, context
        return
    body = json.loads(answer.body.decode("utf-8"), parse_constant=_no_constant)
    if answer.status == 308:
        assert_stays_on_this_host(headers["location"])
    if is_payments_ai(target):
        assert_payments_ai(answer, body)
        return
    assert headers["content-type"] == "application/json", context
    if is_monri(target):
        assert_monri(answer.status, body)
        return
    if is_alternative(target):
        assert_alternative(answer.status, body)
        return
    if answer.status == 308:
        return
    if answer.status >= 400:
        assert_error(answer.status, body)
        assert body["request_id"] == headers["x-request-id"], context
    else:
        assert answer.status in (200, 201, 202), context
        for each in body if isinstance(body, list) else [body]:
            assert_record(each)
    waits = answer.status in (202, 429) or body_code(body).endswith("_in_progress")
    assert not waits or int(headers["retry-after"]) >= 1, context


def parts_of(target: str) -> list[str]:
    """The parts of the path as the gateway passes it on, without stray slashes."""
    return [part for part in Request("GET", target, []).path.split("/") if part]


def is_payments_ai(target: str) -> bool:
    """Whether a target belongs to the payments.ai API."""
    return parts_of(target)[:2] == ["v1", "public-api"]


def is_monri(target: str) -> bool:
    """Whether a target belongs to the Monri API."""
    return parts_of(target)[:1] == ["v2"]


def is_alternative(target: str) -> bool:
    """Whether a target belongs to the Alternative Payments API."""
    return parts_of(target)[:1] in (["customers"], ["oauth"])


def assert_monri(status: int, body: Any) -> None:
    """A response of the Monri API. Source: docs/api/monri.md, sections 1 and 4.3."""
    assert isinstance(body, dict), body
    if status == 200:
        assert body["status"] == "approved", body
        for each in body.get("data", [body] if "uuid" in body else []):
            assert each["id"] in (each.get("uuid"), each.get("token")), each
            assert each["status"] == "approved", each
            assert_record(each)
        return
    assert status in (308, 400, 401, 403, 404, 413, 503), body
    assert body.keys() == {"status", "message", "errors"}, body
    assert body["status"] == ("error" if status in (401, 403, 503) else "invalid-request"), body
    assert body["message"] == body["errors"][0], body
    assert all(isinstance(each, str) and each.strip() for each in body["errors"]), body


def assert_error(status: int, body: Any) -> None:
    """An error body of the native API (B5)."""
    assert {"error", "code", "request_id"} <= body.keys() <= BODY_KEYS, body
    assert isinstance(body["error"], str), body
    assert body["error"].strip(), body
    assert CODE.fullmatch(body["code"]), body
    for name in OPTIONAL.keys() & body.keys():
        assert isinstance(body[name], OPTIONAL[name]), body
    assert ("payment_id" in body) == (status == 402), body
    details = body.get("details")
    assert details is None or details, "details are there only if fields are wrong"
    for each in details or []:
        assert each.keys() == {"field", "message"}, body
        assert isinstance(each["field"], str), body
        assert isinstance(each["message"], str), body
        assert each["message"], body


BODY_KEYS = {"error", "code", "request_id", *OPTIONAL}


def assert_record(body: Any) -> None:
    """An object without an envelope. Times are UTC in whole seconds, amounts are integers."""
    assert isinstance(body, dict), body
    assert not body.keys() & {"data", "success"}, body
    for name, value in body.items():
        if name.endswith("_at") and value is not None:
            assert TIME.fullmatch(value), (name, value)
        if name.endswith("_cents"):
            assert type(value) is int, (name, value)


def assert_stays_on_this_host(location: str) -> None:
    """A redirect must not lead to another host."""
    parts = urlsplit(location)
    assert not parts.scheme, location
    assert not parts.netloc, location
    assert location.startswith("/"), location
    assert "\\" not in parts.path, location


def body_code(body: Any) -> str:
    """The error code of a body, or an empty text."""
    return str(body.get("code", "")) if isinstance(body, dict) else ""


def _no_constant(text: str) -> None:
    raise AssertionError(f"{text} is not JSON")


def without_request_id(answer: Answer) -> tuple[int, Any, list[tuple[str, str]]]:
    """A response without its request id, so that two responses can be compared."""
    body = json.loads(answer.body) if answer.body else None
    if isinstance(body, dict):
        body.pop("request_id", None)
    ids = ("x-request-id", "apigw-requestid")
    return answer.status, body, [pair for pair in answer.headers if pair[0].lower() not in ids]


def slowness() -> float:
    """How many times slower this machine is right now than the one that LONGEST_S is meant for.

    At least 1. Limits in seconds are multiplied by it, so that they hold on any machine and under
    any load. It does some fixed work, which takes REFERENCE_S seconds there.
    """
    sample = {"a": [1, 2.5, "text", {"b": None}] * 20}
    started = time.monotonic()
    for _ in range(REFERENCE_ROUNDS):
        json.loads(json.dumps(sample))
    return max(1.0, (time.monotonic() - started) / REFERENCE_S)


@dataclass(frozen=True)
class Client:
    """Sends requests to the gateway, and checks every response against the contract."""

    gateway: Gateway
    headers: Mapping[str, str] = field(default_factory=dict)
    may_fail: bool = False

    def acting(self, **headers: str) -> "Client":
        """The same client with other headers: `acting(x_session_id="…")`."""
        return replace(
            self, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def ask(
        self,
        method: str,
        target: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """`body`: bytes and text are sent as they are, anything else as JSON."""
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        sent = {"Content-Type": "application/json"} | dict(self.headers) | dict(headers or {})
        started = time.monotonic()
        answer = self.gateway.call(method, target, sent, b"" if body is None else content)
        took_s = time.monotonic() - started
        # The machine's speed is measured only if needed: it takes a second or more.
        is_quick = took_s < LONGEST_S or took_s < LONGEST_S * slowness()
        assert is_quick, f"{method} {target} took too long: {took_s:.1f} s"
        if method != "OPTIONS":
            assert_contract(answer, target, may_fail=self.may_fail)
        return answer
