"""A merchant at the gateway that signs every request, as Monri's clients do."""

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from bridge import clock
from local.gateway import Gateway
from tests.conftest import Environment
from tests.functions.conftest import Reply
from tests.store.conftest import put_credential

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CUSTOMER_FIELDS = {
    "status", "id", "uuid", "merchant_customer_id", "description", "email", "name", "phone", "city",
    "country", "zip_code", "address", "metadata", "deleted", "created_at", "updated_at",
    "deleted_at",
}  # fmt: skip
DEMO = "019b76da-a800-7b7a-8c21-5e0f7ad94b10"


def assert_shape(reply: Reply) -> None:
    """What is true for every response. Source: docs/api/monri.md, sections 1 and 4.3."""
    assert reply.headers["content-type"] == "application/json"
    assert isinstance(reply.body, dict), reply.text
    if reply.status == 200:
        assert reply.body["status"] == "approved"
        return
    assert reply.body.keys() == {"status", "message", "errors"}
    repairable = reply.status in (308, 400, 404, 413)
    assert reply.body["status"] == ("invalid-request" if repairable else "error")
    assert reply.body["message"] == reply.body["errors"][0]
    assert all(isinstance(each, str) and each for each in reply.body["errors"])


@dataclass(frozen=True)
class Merchant:
    """Signs its requests as they are sent. With `token`, it sends that bearer token instead."""

    gateway: Gateway
    name: str
    key: str
    token: str | None = None

    def digest(self, fullpath: str, body: bytes, at: str) -> str:
        """The formula of docs/api/monri.md, section 2.1, independent of the product code."""
        signed = f"{self.key}{at}{self.name}{fullpath}".encode() + body
        return hashlib.sha512(signed).hexdigest()

    def authorization(self, fullpath: str, body: bytes) -> str:
        if self.token:
            return f"Bearer {self.token}"
        at = str(clock.seconds())
        return f"WP3-v2.1 {self.name} {at} {self.digest(fullpath, body, at)}"

    def ask(
        self, method: str, target: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send a request. `target` is percent-encoded. A `body` of bytes is sent as it is."""
        sent = b"" if body is None else body if isinstance(body, bytes) else _json(body)
        known = {"Content-Type": "application/json"}
        known["Authorization"] = self.authorization(target, sent)
        return send(self.gateway, method, target, sent, known | (headers or {}))

    def refused(self, method: str, target: str, body: object = None) -> list[str]:
        """Send a request that must get a 400. Returns its errors."""
        reply = self.ask(method, target, body)
        assert reply.status == 400, reply.text
        return list(reply.body["errors"])

    def made(self, **fields: object) -> dict[str, Any]:
        """Create a customer. Returns its body."""
        reply = self.ask("POST", "/v2/customers", fields)
        assert reply.status == 200, reply.text
        return dict(reply.body)

    def get(self, uuid: str) -> Reply:
        return self.ask("GET", f"/v2/customers/{uuid}")

    def update(self, uuid: str, body: object) -> Reply:
        return self.ask("POST", f"/v2/customers/{uuid}", body)

    def delete(self, uuid: str) -> Reply:
        return self.ask("DELETE", f"/v2/customers/{uuid}")


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def send(gateway: Gateway, method: str, target: str, body: bytes, headers: dict[str, str]) -> Reply:
    answer = gateway.call(method, target, headers, body)
    by_name = {name.lower(): value for name, value in answer.headers}
    reply = Reply(answer.status, by_name, answer.body.decode())
    assert_shape(reply)
    return reply


@pytest.fixture
def enrolled(environment: Environment, tables: None) -> Callable[..., Merchant]:
    """Creates a merchant of an organization: `enrolled("org_1")`."""

    def enrol(organization_id: str, name: str = "", key: str = "") -> Merchant:
        name, key = name or secrets.token_hex(20), key or secrets.token_hex(12)
        put_credential("merchant", name, key, organization_id=organization_id)
        return Merchant(environment.gateway, name, key)

    return enrol


@pytest.fixture
def merchant(enrolled: Callable[..., Merchant]) -> Merchant:
    return enrolled("org_1")


@pytest.fixture
def at_any_time(setting: Callable[[str, str], None]) -> None:
    """Accept any timestamp, because the event files were signed at one time."""
    setting("MONRI_TIMESTAMP_WINDOW_S", "0")
