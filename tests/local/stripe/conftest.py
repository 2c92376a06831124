"""A running simulator, the official SDK for it, and raw HTTP with checked responses."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import requests
import stripe
from jsonschema import Draft202012Validator

from local.stripe import forms, routes
from local.stripe.server import serving
from local.stripe.simulator import StripeSimulator

VERSION = "2026-10-28.endive"
NEVER = {
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
}


def as_json_schema(node: Any) -> Any:
    """Convert OpenAPI 3.0 to JSON Schema. Objects are closed: an invented field is an error."""
    if isinstance(node, list):
        return [as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            made[key] = {name: as_json_schema(each) for name, each in value.items()}
        elif key == "$ref":
            made[key] = value.replace("#/components/schemas/", "#/$defs/")
        elif key != "nullable" and not key.startswith("x-"):
            made[key] = as_json_schema(value)
    if "properties" in made:
        made.setdefault("additionalProperties", False)
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") else made


@cache
def _validator(operation: str) -> Draft202012Validator:
    schema = forms.schema()
    error = {"$ref": "#/components/schemas/error"}
    root = as_json_schema(schema["answers"].get(operation, error))
    return Draft202012Validator(root | {"$defs": as_json_schema(schema["schemas"])})


def check(operation: str, body: object) -> None:
    """Raises ValidationError if the body does not fit Stripe's description."""
    _validator(operation).validate(body)


class Http:
    """Raw requests to the simulator. Every JSON response is checked against Stripe's schema."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(
        self,
        method: str,
        path: str,
        form: dict[str, str] | str | None = None,
        **headers: str | None,
    ) -> requests.Response:
        sent: dict[str, str | None] = {
            "Authorization": "Bearer sk_test_123",
            "Stripe-Version": VERSION,
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(form, str):
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        payload = {"params": form} if method == "GET" else {"data": form}
        response = requests.request(method, self.url + path, headers=sent, timeout=10, **payload)  # type: ignore[arg-type]
        found = routes.find(method, path)
        operation = found[0].url if found and response.status_code == 200 else "error"
        if response.headers["Content-Type"] == "application/json":
            check(operation, json.loads(response.content))
        return response

    def post(
        self, path: str, form: dict[str, str] | str | None = None, **headers: str | None
    ) -> requests.Response:
        return self.send("POST", path, form, **headers)

    def get(self, path: str, **query: str) -> requests.Response:
        return self.send("GET", path, query or None)

    def control(self, method: str, name: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{self.url}/_sim/{name}", json=body, timeout=10)

    def visit(self, path: str) -> requests.Response:
        """Get a page like a browser, but without following a redirect."""
        return requests.get(self.url + path, allow_redirects=False, timeout=10)

    def intent(self, **fields: str) -> dict[str, Any]:
        """Create an intent of 20 dollars without redirects."""
        form = {"amount": "2000", "currency": "usd"} | NEVER | fields
        response = self.post("/v1/payment_intents", form)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def confirm(self, intent: str, method: str | None = None, **fields: str) -> requests.Response:
        form = fields | ({"payment_method": method} if method else {})
        return self.post(f"/v1/payment_intents/{intent}/confirm", form)

    def customer(self, **fields: str) -> str:
        return str(self.post("/v1/customers", fields).json()["id"])

    def saved(self, customer: str, method: str = "pm_card_visa") -> str:
        path = f"/v1/payment_methods/{method}/attach"
        return str(self.post(path, {"customer": customer}).json()["id"])


@pytest.fixture(name="check")
def check_fixture() -> Callable[[str, object], None]:
    return check


@pytest.fixture(scope="session")
def running() -> Iterator[StripeSimulator]:
    with serving(StripeSimulator()) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: StripeSimulator) -> Iterator[StripeSimulator]:
    running.reset()
    yield running
    running.reset()


@pytest.fixture
def http(simulator: StripeSimulator) -> Http:
    return Http(simulator.url)


@pytest.fixture
def client(simulator: StripeSimulator) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_123", base_addresses={"api": simulator.url})
