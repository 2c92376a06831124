"""What every answer must look like, and a client that holds each answer against it.

Source: contracts/bridge.md section 1 and B5.
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

CUSTOMER_FIELDS = {
    "id", "user_id", "organization_id", "provider_id", "provider_customer_id", "email", "name",
    "first_name", "last_name", "phone", "is_guest", "guest_email", "metadata", "created_at",
    "updated_at",
}  # fmt: skip
PAYMENT_FIELDS = {
    "id", "provider_payment_id", "client_secret", "status", "subtotal_cents", "tax_cents",
    "discount_cents", "total_cents", "amount_captured_cents", "amount_refunded_cents", "currency",
    "provider_id", "payment_method_id", "customer_id", "user_id", "organization_id", "description",
    "concept", "reference_code", "category", "tags", "setup_future_usage", "capture_method",
    "metadata", "next_action", "failure_code", "failure_message", "is_guest_payment",
    "guest_email", "completed_at", "created_at", "updated_at",
}  # fmt: skip
METHOD_FIELDS = {
    "id", "customer_id", "provider_id", "provider_payment_method_id", "type", "brand", "last4",
    "exp_month", "exp_year", "is_default", "alias", "billing_address_id", "metadata", "created_at",
    "updated_at", "payment_type", "card_brand", "last_four",
}  # fmt: skip
ADDRESS_FIELDS = {
    "id", "customer_id", "type", "name", "line1", "line2", "city", "state", "postal_code",
    "country", "is_default", "created_at", "updated_at",
}  # fmt: skip
REFUND_FIELDS = {
    "id", "payment_id", "provider_refund_id", "amount_cents", "currency", "status", "reason",
    "created_at", "updated_at",
}  # fmt: skip
ENTRY_FIELDS = {
    "seq", "at", "from", "to", "cause", "operation", "attempt", "outcome", "previous_hash", "hash",
}  # fmt: skip
MONRI_FIELDS = {
    "status", "id", "uuid", "merchant_customer_id", "description", "email", "name", "phone", "city",
    "country", "zip_code", "address", "metadata", "deleted", "created_at", "updated_at",
    "deleted_at",
}  # fmt: skip
GUEST_LISTING_FIELDS = {"id", "status", "total_cents", "currency", "concept", "created_at"}

FUNCTIONS = template.read().functions
SHOPS = "/v1/public-api/"
EVERY_ROUTE = [
    (name, route.method, route.path)
    for name, function in FUNCTIONS.items()
    for route in function.routes
    if route.path != "$default"
]
"""Every function that HTTP reaches, with each of its routes."""
ROUTES = [each for each in EVERY_ROUTE if not each[2].startswith(SHOPS)]
"""Those but for payments.ai's, whose bodies are no models: test_payments_ai.py asks for them."""


def assert_contract(answer: Answer, target: str, *, may_fail: bool = False) -> None:
    """In the words of the API whose path the target is.

    `may_fail`: a dependency was made to fail, so 502, 503 and 504 are documented answers."""
    headers = {name.lower(): value for name, value in answer.headers}
    shown = (answer.status, headers, answer.body[:500])
    assert answer.status < 500 or (may_fail and answer.status in (502, 503, 504)), shown
    assert headers["x-request-id"], shown
    if answer.status == 204:
        assert answer.body == b"", shown
        assert "content-type" not in headers, shown
        return
    body = json.loads(answer.body.decode("utf-8"), parse_constant=_no_constant)
    if answer.status == 308:
        assert_stays_on_this_host(headers["location"])
    if is_payments_ais(target):
        assert_payments_ai(answer, body)
        return
    assert headers["content-type"] == "application/json", shown
    if is_monris(target):
        assert_monris(answer.status, body)
        return
    if is_alternatives(target):
        assert_alternative(answer.status, body)
        return
    if answer.status == 308:
        return
    if answer.status >= 400:
        assert_error(answer.status, body)
        assert body["request_id"] == headers["x-request-id"], shown
    else:
        assert answer.status in (200, 201, 202), shown
        for each in body if isinstance(body, list) else [body]:
            assert_record(each)
    waits = answer.status in (202, 429) or body_code(body).endswith("_in_progress")
    assert not waits or int(headers["retry-after"]) >= 1, shown


def parts_of(target: str) -> list[str]:
    """Of the path as the gateway delivers it, without stray slashes."""
    return [part for part in Request("GET", target, []).path.split("/") if part]


def is_payments_ais(target: str) -> bool:
    return parts_of(target)[:2] == ["v1", "public-api"]


def is_monris(target: str) -> bool:
    return parts_of(target)[:1] == ["v2"]


def is_alternatives(target: str) -> bool:
    return parts_of(target)[:1] in (["customers"], ["oauth"])


def assert_monris(status: int, body: Any) -> None:
    """Source: contracts/monri.md 1 and 4.3."""
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
    assert {"error", "code", "request_id"} <= body.keys() <= BODY_KEYS, body
    assert isinstance(body["error"], str), body
    assert body["error"].strip(), body
    assert CODE.fullmatch(body["code"]), body
    for name in OPTIONAL.keys() & body.keys():
        assert isinstance(body[name], OPTIONAL[name]), body
    assert ("payment_id" in body) == (status == 402), body
    details = body.get("details")
    assert details is None or details, "details are only there where fields are at fault"
    for each in details or []:
        assert each.keys() == {"field", "message"}, body
        assert isinstance(each["field"], str), body
        assert isinstance(each["message"], str), body
        assert each["message"], body


BODY_KEYS = {"error", "code", "request_id", *OPTIONAL}


def assert_record(body: Any) -> None:
    """A bare object: no envelope, times in UTC and whole seconds, amounts that are integers."""
    assert isinstance(body, dict), body
    assert not body.keys() & {"data", "success"}, body
    for name, value in body.items():
        if name.endswith("_at") and value is not None:
            assert TIME.fullmatch(value), (name, value)
        if name.endswith("_cents"):
            assert type(value) is int, (name, value)


def assert_stays_on_this_host(location: str) -> None:
    parts = urlsplit(location)
    assert not parts.scheme, location
    assert not parts.netloc, location
    assert location.startswith("/"), location
    assert "\\" not in parts.path, location


def body_code(body: Any) -> str:
    return str(body.get("code", "")) if isinstance(body, dict) else ""


def _no_constant(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def without_request_id(answer: Answer) -> tuple[int, Any, list[tuple[str, str]]]:
    """What two answers to two requests can have in common."""
    told = json.loads(answer.body) if answer.body else None
    if isinstance(told, dict):
        told.pop("request_id", None)
    ids = ("x-request-id", "apigw-requestid")
    return answer.status, told, [pair for pair in answer.headers if pair[0].lower() not in ids]


@dataclass(frozen=True)
class Client:
    """Asks the gateway; every answer must keep the contract."""

    gateway: Gateway
    headers: Mapping[str, str] = field(default_factory=dict)
    may_fail: bool = False

    def acting(self, **headers: str) -> "Client":
        """The same client with other headers: `acting(x_session_id="…")`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers=named)

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
        assert time.monotonic() - started < LONGEST_S, f"{method} {target} took too long"
        if method != "OPTIONS":
            assert_contract(answer, target, may_fail=self.may_fail)
        return answer
