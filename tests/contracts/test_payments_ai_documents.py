"""The requests in payments.ai's own document, except for the host and a hidden e-mail address.

Source: payments.ai API documentation, "Customers"; for what it links to, docs/api/payments-ai.md,
sections 3 and 4.
"""

import json

import pytest

from local.event import Answer
from tests.contracts.documents import Wire, of_curl, request_of
from tests.contracts.payments_ai_shape import CUSTOMER

NADIA = "cus_01kjpx8se0eassyq0akmxqwk11"
EMAIL = "jane.doe@example.com"
VARIABLES = {
    "ORGANIZATION_ID": "org_456",
    "API_KEY": "acct_demo_key_demo",
    "CUSTOMER_ID": NADIA,
}
CREATION = """curl -X POST \\
"https://staging-api.payments.ai/v1/public-api/organizations/${ORGANIZATION_ID}/customers" \\
-H 'Content-Type: application/json' \\
-H "Authorization: ApiKey ${API_KEY}" \\
-d '{
"firstName": "Jane",
"lastName": "Doe",
"email": "[email\xa0protected]",
"phoneNumber": "+1-555-0100",
"language": "en",
"address": {
"country": "US",
"address1": "123 Main St",
"city": "Springfield",
"region": "IL",
"zip": "62701"
}
}'"""
RETRIEVAL = """curl -X GET \\
"https://staging-api.payments.ai/v1/public-api/organizations/${ORGANIZATION_ID}/customers/\
${CUSTOMER_ID}" \\
-H "Authorization: ApiKey ${API_KEY}\""""
LIST = """curl -X GET \\
"https://staging-api.payments.ai/v1/public-api/organizations/${ORGANIZATION_ID}/customers\
?limit=20&offset=0" \\
-H "Authorization: ApiKey ${API_KEY}\""""
UPDATE = """curl -X PUT \\
"https://staging-api.payments.ai/v1/public-api/organizations/${ORGANIZATION_ID}/customers/\
${CUSTOMER_ID}" \\
-H 'Content-Type: application/json' \\
-H "Authorization: ApiKey ${API_KEY}" \\
-d '{
"email": "[email\xa0protected]",
"phoneNumber": "+1-555-0199"
}'"""
DELETION = """curl -X DELETE \\
"https://staging-api.payments.ai/v1/public-api/organizations/${ORGANIZATION_ID}/customers/\
${CUSTOMER_ID}" \\
-H "Authorization: ApiKey ${API_KEY}\""""

# Each request of the document, and its status.
CURLS = [(CREATION, 201), (RETRIEVAL, 200), (LIST, 200), (UPDATE, 200), (DELETION, 204)]


def send(wire: Wire, curl: str, customer_id: str = NADIA) -> Answer:
    """Send a curl command of the document."""
    return wire.send(of_curl(curl, EMAIL, **VARIABLES | {"CUSTOMER_ID": customer_id}))


def ask(wire: Wire, method: str, path: str, body: object = None) -> Answer:
    """Send a request that the document only mentions."""
    key = "Authorization: ApiKey acct_demo_key_demo"
    target = f"/v1/public-api/organizations/org_456{path}"
    return wire.send(request_of(method, target, ["Host: x", key], json.dumps(body) if body else ""))


@pytest.mark.parametrize(("curl", "status"), CURLS)
def test_request_of_the_document_returns_what_the_document_says(
    curl: str, status: int, wire: Wire
) -> None:
    answer = send(wire, curl)
    assert answer.status == status
    body = answer.json() if answer.body else []
    for each in body if isinstance(body, list) else [body]:
        assert list(each) == CUSTOMER
    if "-d" in curl:
        sent = json.loads(of_curl(curl, EMAIL, **VARIABLES).partition("\n\n")[2])
        assert sent.items() <= answer.json().items()


def test_requests_of_the_document_work_in_their_order_on_a_new_customer(wire: Wire) -> None:
    made = send(wire, CREATION).json()
    assert send(wire, RETRIEVAL, made["id"]).json() == made
    assert send(wire, LIST).json()[0] == made
    updated = send(wire, UPDATE, made["id"]).json()
    assert updated == made | {
        "phoneNumber": "+1-555-0199",
        "revision": 2,
        "updatedTime": updated["updatedTime"],
    }
    assert send(wire, DELETION, made["id"]).status == 204
    assert made["id"] not in [each["id"] for each in send(wire, LIST).json()]
    assert send(wire, RETRIEVAL, made["id"]).json()["status"] == "deleted", "it stays readable"
    refused = send(wire, UPDATE, made["id"])
    assert (refused.status, refused.json()["details"]) == (409, "customer is deleted")


def test_list_has_pages_and_a_search_by_name_and_email(wire: Wire) -> None:
    for search in ("search=adia%20oko", "search=NADIA.OKORO%40example", "q=okoro"):
        found = ask(wire, "GET", f"/customers?{search}&limit=20&offset=0")
        assert [each["id"] for each in found.json()] == [NADIA], search
        assert found.header("Pagination-Total") == "1"
    listed = send(wire, LIST)
    second = ask(wire, "GET", "/customers?limit=1&offset=1")
    assert second.json() == listed.json()[1:2] != []
    assert int(second.header("Pagination-Total") or 0) == len(listed.json()) > 2


def test_id_cannot_be_changed_and_address_must_use_address1(
    wire: Wire,
) -> None:
    refused = {
        "id: cannot be changed": {"id": NADIA[:-1] + "2"},
        "address.address: not allowed, use address1": {"address": {"address": "123 Main St"}},
    }
    for details, body in refused.items():
        answer = ask(wire, "PUT", f"/customers/{NADIA}", body)
        assert (answer.status, answer.json()["details"]) == (400, details)


def test_new_default_instrument_leaves_the_old_one_attached(wire: Wire) -> None:
    instruments = f"/customers/{NADIA}/payment-instruments"
    first = ask(wire, "GET", instruments).json()
    made = ask(wire, "POST", instruments, {"token": "pm_card_mastercard"})
    assert (made.status, made.json()["isDefault"]) == (201, False)
    change = {"defaultPaymentInstrumentId": made.json()["id"]}
    changed = ask(wire, "PUT", f"/customers/{NADIA}", change).json()
    default = {"method": "payment-card", "paymentInstrumentId": made.json()["id"]}
    assert changed["defaultPaymentInstrument"] == default
    instruments_now = ask(wire, "GET", instruments).json()
    assert [(each["id"], each["isDefault"]) for each in instruments_now] == [
        (made.json()["id"], True),
        (first[0]["id"], False),
    ]


def test_custom_fields_are_defined_once_and_filled_for_each_customer(wire: Wire) -> None:
    schema = {"type": "string", "additionalSchema": {"allowedValues": ["bronze", "silver"]}}
    field = {"name": "loyaltyTier", "resource": "customers", "description": "Shop loyalty level"}
    assert ask(wire, "POST", "/custom-fields", field | {"typeSchema": schema}).status == 201
    filled = {"customFields": {"loyaltyTier": "silver"}, "metadata": {"free": {"form": [1]}}}
    answer = ask(wire, "PUT", f"/customers/{NADIA}", filled)
    assert filled.items() <= answer.json().items()
    wrong = ask(wire, "PUT", f"/customers/{NADIA}", {"customFields": {"loyaltyTier": "gold"}})
    assert wrong.status == 400
