"""The requests in the native API's own documents, except for the host and hidden e-mail addresses.

Source: Bridge Payments documentation, "Customers API" and "Payments API".
"""

import json
import shlex
from dataclasses import dataclass

import pytest

from local.event import Answer
from tests.contracts.documents import Wire, of_curl
from tests.contracts.shape import (
    Client,
)
from tests.response_fields import (
    CUSTOMER_FIELDS,
    PAYMENT_FIELDS,
)

BASE = "/bridge-payment"
JOHN, GUEST = "john.doe@example.com", "guest@example.com"
MONEY = {"total_cents": 2000, "currency": "USD"}
VISA = {"payment_method_id": "pm_card_visa"}


@dataclass(frozen=True)
class Curl:
    """One request of a document, its status, values that must be returned, and all fields."""

    text: str
    status: int
    expected: dict[str, object]
    fields: set[str]

    def sent_by(self, wire: Wire) -> Answer:
        """Send it."""
        return wire.send(of_curl(self.text, GUEST if "guest_data" in self.text else JOHN))


CURLS = {
    "create a user's customer": Curl(
        """curl -X POST "https://your-instance.pubflow.com/bridge-payment/customers" \\
-H "Content-Type: application/json" \\
-H "X-Session-ID: session_abc123" \\
-d '{
"provider_id": "stripe",
"email": "[email protected]",
"first_name": "John",
"last_name": "Doe",
"phone": "+1234567890"
}'""",
        201,
        {
            "provider_id": "stripe",
            "email": JOHN,
            "name": "John Doe",
            "first_name": "John",
            "last_name": "Doe",
            "phone": "+1234567890",
            "is_guest": False,
            "user_id": "user_456",
            "guest_email": None,
        },
        CUSTOMER_FIELDS,
    ),
    "create a guest's customer": Curl(
        """curl -X POST "https://your-instance.pubflow.com/bridge-payment/customers" \\
-H "Content-Type: application/json" \\
-d '{
"provider_id": "stripe",
"guest_data": {
"email": "[email protected]",
"name": "Guest User",
"phone": "+1234567890"
}
}'""",
        201,
        {
            "user_id": None,
            "email": GUEST,
            "name": "Guest User",
            "phone": "+1234567890",
            "is_guest": True,
            "guest_email": GUEST,
        },
        CUSTOMER_FIELDS | {"guest_token"},
    ),
    "get a customer": Curl(
        """curl -X GET "https://your-instance.pubflow.com/bridge-payment/customers/cust_123" \\
-H "X-Session-ID: session_abc123\"""",
        200,
        {"id": "cust_123", "user_id": "user_456", "provider_id": "stripe", "is_guest": False},
        CUSTOMER_FIELDS,
    ),
    "update a customer": Curl(
        """curl -X PUT "https://your-instance.pubflow.com/bridge-payment/customers/cust_123" \\
-H "Content-Type: application/json" \\
-H "X-Session-ID: session_abc123" \\
-d '{
"phone": "+1987654321",
"metadata": {
"preferred_contact": "email"
}
}'""",
        200,
        {
            "id": "cust_123",
            "phone": "+1987654321",
            "metadata": {"preferred_contact": "email"},
            "name": "John Doe",
        },
        CUSTOMER_FIELDS,
    ),
    "create a user's payment": Curl(
        """curl -X POST "https://your-instance.pubflow.com/bridge-payment/payments/intents" \\
  -H "Content-Type: application/json" \\
  -H "X-Session-ID: session_abc123" \\
  -d '{
    "subtotal_cents": 1800,
    "tax_cents": 200,
    "total_cents": 2000,
    "currency": "USD",
    "concept": "Premium Subscription",
    "description": "Monthly premium plan",
    "provider_id": "stripe",
    "setup_future_usage": "off_session"
  }'""",
        201,
        {
            "status": "created",
            "subtotal_cents": 1800,
            "tax_cents": 200,
            "discount_cents": 0,
            "total_cents": 2000,
            "currency": "USD",
            "provider_id": "stripe",
            "concept": "Premium Subscription",
            "description": "Monthly premium plan",
            "setup_future_usage": "off_session",
            "is_guest_payment": False,
        },
        PAYMENT_FIELDS,
    ),
    "create a guest's payment": Curl(
        """curl -X POST "https://your-instance.pubflow.com/bridge-payment/payments/intents" \\
  -H "Content-Type: application/json" \\
  -d '{
    "subtotal_cents": 5000,
    "tax_cents": 500,
    "total_cents": 5500,
    "currency": "USD",
    "concept": "Donation",
    "provider_id": "stripe",
    "guest_data": {
      "email": "donor@example.com",
      "name": "John Doe",
      "phone": "+1234567890"
    }
  }'""",
        201,
        {
            "status": "created",
            "total_cents": 5500,
            "concept": "Donation",
            "is_guest_payment": True,
            "guest_email": "donor@example.com",
            "user_id": None,
        },
        PAYMENT_FIELDS | {"guest_token"},
    ),
    "create a payment with a saved method": Curl(
        """curl -X POST "https://your-instance.pubflow.com/bridge-payment/payments/intents" \\
  -H "Content-Type: application/json" \\
  -H "X-Session-ID: session_abc123" \\
  -d '{
    "total_cents": 2000,
    "currency": "USD",
    "concept": "Subscription Renewal",
    "provider_id": "stripe",
    "payment_method_id": "pm_saved_card_123"
  }'""",
        201,
        {
            "status": "created",
            "subtotal_cents": 2000,
            "total_cents": 2000,
            "concept": "Subscription Renewal",
            "payment_method_id": "pm_saved_card_123",
            "customer_id": "cust_456",
        },
        PAYMENT_FIELDS,
    ),
    "sync a payment": Curl(
        """curl -X POST "https://your-instance.pubflow.com/bridge-payment/payments/sync/\
pi_stripe_abc123" \\
  -H "X-Session-ID: session_abc123\"""",
        200,
        {"id": "pay_123", "provider_payment_id": "pi_stripe_abc123", "status": "succeeded"},
        PAYMENT_FIELDS,
    ),
}


DELETION = Curl(
    """curl -X DELETE "https://your-instance.pubflow.com/bridge-payment/customers/cust_123" \\
-H "X-Session-ID: session_abc123\"""",
    204,
    {},
    set(),
)
LIST = Curl(
    """curl -X GET "https://your-instance.pubflow.com/bridge-payment/customers?limit=10" \\
-H "X-Session-ID: session_abc123\"""",
    200,
    {},
    CUSTOMER_FIELDS,
)


@pytest.mark.parametrize("name", CURLS)
def test_request_of_the_document_returns_what_the_document_says(name: str, wire: Wire) -> None:
    curl = CURLS[name]
    answer = curl.sent_by(wire)
    body = answer.json()
    assert answer.status == curl.status, body
    assert curl.expected.items() <= body.items()
    assert curl.fields <= body.keys()


def test_list_of_customers_returns_the_documents_customers(wire: Wire) -> None:
    answer = LIST.sent_by(wire)
    listed = [(each["id"], each["name"], each["created_at"]) for each in answer.json()]
    assert answer.status == LIST.status
    assert listed == [
        ("cust_123", "John Doe", "2025-01-15T10:30:00Z"),
        ("cust_456", "Jane Smith", "2025-01-10T08:20:00Z"),
    ]
    assert all(LIST.fields <= each.keys() for each in answer.json())


def test_requests_of_the_document_work_in_their_order(wire: Wire) -> None:
    assert DELETION.sent_by(wire).status == 204
    for curl in CURLS.values():
        deleted = "customers/cust_123" in curl.text
        assert curl.sent_by(wire).status == (404 if deleted else curl.status), curl.text


def test_deleted_customer_returns_404_and_its_payments_stay_readable(
    jane: Client, wire: Wire
) -> None:
    answer = DELETION.sent_by(wire)
    assert (answer.status, answer.body) == (204, b"")
    assert jane.ask("GET", f"{BASE}/customers/cust_123").status == 404
    assert jane.ask("GET", f"{BASE}/payments/pay_123").status == 200, "payments stay readable"


@pytest.mark.parametrize("name", ["create a user's customer", "create a guest's customer"])
def test_hidden_address_of_the_documents_is_refused_as_invalid(
    name: str, jane: Client, client: Client
) -> None:
    curl = CURLS[name]
    body = json.loads(shlex.split(curl.text.replace("\\\n", " "))[-1])
    by = client if "guest_data" in body else jane
    answer = by.ask("POST", f"{BASE}/customers", body)
    field = "guest_data.email" if "guest_data" in body else "email"
    assert answer.status == 400
    assert [each["field"] for each in answer.json()["details"]] == [field]


def test_session_in_the_query_and_as_bearer_is_accepted(jane: Client, client: Client) -> None:
    target = f"{BASE}/payments/intents?session_id=session_abc123"
    answer = client.ask("POST", target, MONEY)
    assert (answer.status, answer.json()["user_id"]) == (201, "user_456")
    bearer = client.acting(authorization="Bearer session_abc123")
    assert bearer.ask("POST", f"{BASE}/payments/intents", MONEY).status == 201


def test_payment_goes_from_intent_to_list_as_the_document_shows(jane: Client) -> None:
    made = jane.ask("POST", f"{BASE}/payments/intents", MONEY).json()
    target = f"{BASE}/payments/intents/{made['id']}"
    change = {"subtotal_cents": 1800, "tax_cents": 200, "total_cents": 2000, "concept": "Premium"}
    updated = jane.ask("PUT", target, MONEY | change | {"provider_id": "stripe"})
    assert (updated.status, updated.json()["subtotal_cents"]) == (200, 1800)
    confirmed = jane.ask("POST", f"{BASE}/payments/confirm/{made['id']}", VISA)
    assert confirmed.status == 200
    assert confirmed.json()["status"] == "succeeded"
    assert confirmed.json()["provider_payment_id"] == made["provider_payment_id"]
    assert confirmed.json()["completed_at"]
    got = jane.ask("GET", f"{BASE}/payments/{made['id']}")
    assert got.json() == confirmed.json()
    listed = jane.ask("GET", f"{BASE}/payments").json()
    assert [each["id"] for each in listed] == [made["id"], "pay_456", "pay_123"]
    assert all(each.keys() >= PAYMENT_FIELDS for each in listed)
    assert all(each["client_secret"] is None for each in listed)
