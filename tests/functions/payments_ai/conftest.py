"""What the tests of payments.ai share: an organization's API key at the gateway."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.functions.conftest import Api, Reply
from tests.store.conftest import put_credential

KEY = "acct_1_s3cr3t_kid1"
FIELDS = [
    "id", "organizationId", "firstName", "lastName", "email", "phoneNumber", "language", "address",
    "primaryAddress", "metadata", "customFields", "defaultPaymentInstrument", "status", "revision",
    "createdTime", "updatedTime", "deletedTime",
]  # fmt: skip
UNKNOWN = "cus_01kjpx8se0eassyq0akmxqwk11"
UNAUTHORIZED = {"errorCode": "UNAUTHORIZED", "statusCode": 401, "message": "Missing auth token"}
FORBIDDEN = {"errorCode": "FORBIDDEN", "statusCode": 403, "message": "Forbidden access"}
NOT_FOUND = {"errorCode": "NOT_FOUND", "statusCode": 404, "message": "Resource not found"}
DELETED = "customer is deleted"


@dataclass(frozen=True)
class Shop:
    """A client with one organization's API key."""

    api: Api
    organization: str

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        target = f"/v1/public-api/organizations/{self.organization}{path}"
        return self.api.with_headers(**headers).send(method, target, body)

    def customer(self, **body: object) -> dict[str, Any]:
        """A new customer."""
        reply = self.ask("POST", "/customers", body)
        assert reply.status == 201, reply.text
        return dict(reply.body)

    def instrument(self, customer: Mapping[str, Any], token: str = "pm_card_visa") -> Any:
        """A new instrument of a customer."""
        target = f"/customers/{customer['id']}/payment-instruments"
        reply = self.ask("POST", target, {"token": token})
        assert reply.status == 201, reply.text
        return reply.body

    def listed(self, query: str = "") -> list[dict[str, Any]]:
        reply = self.ask("GET", f"/customers?{query}")
        assert reply.status == 200, reply.text
        return list(reply.body)


def details(reply: Reply, status: int = 400) -> str:
    """The details of an error, after a check of its three other fields."""
    words = {400: ("BAD_REQUEST", "Bad request"), 409: ("CONFLICT", "Conflict")}
    code, message = words[status]
    assert (reply.status, list(reply.body)) == (
        status,
        ["errorCode", "statusCode", "message", "details"],
    ), reply.text
    assert (reply.body["errorCode"], reply.body["statusCode"]) == (code, status)
    assert reply.body["message"] == message
    return str(reply.body["details"])


def values_of(customer: Mapping[str, Any], *names: str) -> list[Any]:
    return [customer[name] for name in names]


@pytest.fixture
def shop_of(
    environment: Environment, tables: None, stripe_simulator: StripeSimulator
) -> Callable[[str, str], Shop]:
    """Makes a client with a new key: `shop_of("org_1", "acct_key_id")`."""

    def make(organization: str, key: str) -> Shop:
        put_credential("api_key", key, organization_id=organization)
        return Shop(Api(environment.gateway, {"authorization": f"ApiKey {key}"}), organization)

    return make


@pytest.fixture
def shop(shop_of: Callable[[str, str], Shop]) -> Shop:
    return shop_of("org_1", KEY)


@pytest.fixture
def other_shop(shop_of: Callable[[str, str], Shop]) -> Shop:
    return shop_of("org_2", "acct_2_other_kid2")
