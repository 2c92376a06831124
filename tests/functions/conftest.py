"""What the tests of functions share: a handler with its event, and callers at the gateway."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bridge import clock
from bridge.models.caller import Session
from bridge.store.access import session_items
from local.functions import Context
from local.gateway import Gateway
from local.stripe.resources.payment_intent import Status
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment

BASE = "/bridge-payment"
ULID = "[0-9a-hjkmnp-tv-z]{26}"  # the base32 of a TypeID
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
GUEST = {"email": "donor@example.com", "name": "John Doe", "phone": "+1234567890"}
USD_20 = {"total_cents": 2000, "currency": "USD"}
VISA = {"payment_method_id": "pm_card_visa"}
LONG_KEY = "a-key-of-twenty-chars"

ADDRESS = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@dataclass(frozen=True)
class Reply:
    """An HTTP response. The names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of an error."""
        return str(self.body["code"])

    @property
    def fields(self) -> set[str]:
        """The fields in the details of an error."""
        return {detail["field"] for detail in self.body.get("details", [])}

    @property
    def replayed(self) -> bool:
        """Whether this is the stored response of an earlier request."""
        return self.headers.get("idempotent-replayed") == "true"


class Api:
    """One caller of the gateway. `headers` are sent with each of its requests."""

    def __init__(self, gateway: Gateway, headers: Mapping[str, str]) -> None:
        self._gateway, self._headers = gateway, dict(headers)

    def with_headers(self, **headers: str) -> "Api":
        """The same caller with more headers: `idempotency_key="k"` is Idempotency-Key."""
        added = {name.replace("_", "-"): value for name, value in headers.items()}
        return Api(self._gateway, self._headers | added)

    def send(self, method: str, path: str, body: object = None, ip: str = "192.0.2.1") -> Reply:
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        headers = {"content-type": "application/json"} | self._headers
        response = self._gateway.call(method, path, headers, raw, ip)
        lowered = {name.lower(): value for name, value in response.headers}
        return Reply(response.status, lowered, response.body.decode())

    def get(self, path: str) -> Reply:
        return self.send("GET", BASE + path)

    def post(self, path: str, body: object = None, ip: str = "192.0.2.1") -> Reply:
        return self.send("POST", BASE + path, body, ip)

    def put(self, path: str, body: object) -> Reply:
        return self.send("PUT", BASE + path, body)

    def delete(self, path: str) -> Reply:
        return self.send("DELETE", BASE + path)

    def confirm(self, payment: Mapping[str, Any], body: object = None) -> Reply:
        return self.post(f"/payments/confirm/{payment['id']}", body)

    def sync(self, payment: Mapping[str, Any]) -> Reply:
        return self.post(f"/payments/sync/{payment['id']}")

    def customer(self, **more: object) -> dict[str, Any]:
        """A new customer of this caller."""
        asked = {"provider_id": "stripe", "email": "jane@example.com"}
        return _made(self.post("/customers", asked | more))

    def method(self, **more: object) -> dict[str, Any]:
        """A payment method that is saved for this caller."""
        asked = {"provider_payment_method_id": "pm_card_visa"}
        return _made(self.post("/payment-methods", asked | more))

    def address(self, **more: object) -> dict[str, Any]:
        """An address that is saved for this caller."""
        return _made(self.post("/addresses", ADDRESS | more))

    def payment(self, **more: object) -> dict[str, Any]:
        """A new payment of this caller."""
        return _made(self.post("/payments/intents", USD_20 | more))


def _made(reply: Reply) -> dict[str, Any]:
    assert reply.status == 201, reply.text
    return dict(reply.body)


def logical_id(name: str) -> str:
    """`native/create_customer` is NativeCreateCustomer in the template."""
    return "".join(word.title() for word in re.split("[/_]", name))


@pytest.fixture
def invoke(
    event: Callable[[str], dict[str, Any]], context: Callable[[str], Context]
) -> Callable[..., Reply]:
    """Call a handler with its event file, some of it replaced: `invoke(handler, "native/…")`."""

    def run(handler: Handler, name: str, **changes: object) -> Reply:
        response = handler(event(name) | changes, context(logical_id(name)))
        headers = {key.lower(): value for key, value in response["headers"].items()}
        return Reply(response["statusCode"], headers, response.get("body", ""))

    return run


@pytest.fixture
def operate(
    event: Callable[[str], dict[str, Any]], context: Callable[[str], Context]
) -> Callable[..., dict[str, Any]]:
    """The same for a function that no HTTP request starts. Its result must be JSON."""

    def run(handler: Handler, name: str, **changes: object) -> dict[str, Any]:
        return json.loads(json.dumps(handler(event(name) | changes, context(logical_id(name)))))

    return run


@pytest.fixture
def signed_in(
    environment: Environment, tables: None, stripe_simulator: StripeSimulator
) -> Callable[..., Api]:
    """A user with a session of a year: `signed_in("user_1", org_456="member")`."""

    def sign_in(user_id: str, **organizations: str) -> Api:
        session_id = f"session-of-{user_id}"
        described = {
            "user_id": user_id,
            "email": f"{user_id}@example.com",
            "name": user_id.title().replace("_", " "),
            "organizations": organizations,
            "expires_at": clock.now() + timedelta(days=365),
        }
        session_items.put(session_id, msgspec.convert(described, Session))
        return Api(environment.gateway, {"x-session-id": session_id})

    return sign_in


@pytest.fixture
def api(signed_in: Callable[..., Api]) -> Api:
    """user_456, admin of org_456 and org_789."""
    return signed_in("user_456", org_456="admin", org_789="admin")


@pytest.fixture
def stranger(signed_in: Callable[..., Api]) -> Api:
    """Somebody else, member of nothing."""
    return signed_in("user_789")


@pytest.fixture
def guest(environment: Environment, tables: None, stripe_simulator: StripeSimulator) -> Api:
    """Somebody without credentials."""
    return Api(environment.gateway, {})


@dataclass(frozen=True)
class Dashboard:
    """What happens to an intent at the provider without us, by hand or by itself."""

    simulator: StripeSimulator

    def turn(self, payment: Mapping[str, Any], status: Status) -> None:
        world = self.simulator.world
        with world.lock:
            world.intents[payment["provider_payment_id"]].status = status

    def refund(self, payment: Mapping[str, Any], cents: int) -> None:
        self.simulator.dashboard("refund", payment["provider_payment_id"], cents)

    def dispute(self, payment: Mapping[str, Any]) -> None:
        self.simulator.dashboard("dispute", payment["provider_payment_id"])


@pytest.fixture
def dashboard(stripe_simulator: StripeSimulator) -> Dashboard:
    """Stripe's dashboard."""
    return Dashboard(stripe_simulator)
