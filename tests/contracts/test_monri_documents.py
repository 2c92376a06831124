"""Each request that Monri's own document describes, signed as it says.

The document prints no whole request, only paths, fields and responses. The digest is described on
a page that it links to (docs/api/monri.md, section 2.1); here `hashlib` makes it.
Source: Monri API documentation, "Customers".
"""

import hashlib
import json
import time

import pytest

from local.event import Answer
from tests.contracts.documents import Wire, request_of
from tests.contracts.shape import MONRI_FIELDS

TOKEN, KEY = "demo-authenticity-token", "demo-merchant-key"
LEJLA = "019b76da-a800-7b7a-8c21-5e0f7ad94b10"
NADIA = "019cadd4-65c0-72b3-9f5c-0a9d3b7e4c21"  # cus_01kjpx8se0eassyq0akmxqwk11, with a saved card
METHOD_FIELDS = {
    "status", "id", "masked_pan", "expiration_date", "keep_until", "created_at", "updated_at",
    "customer_uuid", "token", "expired",
}  # fmt: skip
# The fields in the document's table of a request, with the values of its example response.
CUSTOMER: dict[str, object] = {
    "merchant_customer_id": "customer-id-1234",
    "description": "Customer",
    "email": "email@email.com",
    "name": "Test",
    "phone": None,
    "metadata": {"key": "value"},
    "zip_code": "71000",
    "city": None,
    "address": None,
    "country": "BA",
}
CHANGE: dict[str, object] = {
    "description": "A customer",
    "phone": "+38733555010",
    "city": "Sarajevo",
    "address": "Titova 1",
}
MADE = {"status", "deleted", "created_at", "updated_at", "deleted_at"} | {"id", "uuid"}

# Each request of the document: method, path, body, the keys of the response.
REQUESTS: list[tuple[str, str, dict[str, object] | None, set[str]]] = [
    ("POST", "/v2/customers", CUSTOMER, MONRI_FIELDS),
    ("GET", f"/v2/customers/{LEJLA}", None, MONRI_FIELDS),
    ("GET", "/v2/merchants/customers/crm-1001", None, MONRI_FIELDS),
    ("POST", f"/v2/customers/{LEJLA}", CHANGE, MONRI_FIELDS),
    ("GET", "/v2/customers", None, {"status", "data"}),
    ("GET", "/v2/customers?limit=2&offset=1", None, {"status", "data"}),
    ("GET", f"/v2/customers/{NADIA}/payment-methods", None, {"status", "data"}),
    ("GET", f"/v2/customers/{NADIA}/payment-methods?limit=1&offset=0", None, {"status", "data"}),
    ("DELETE", f"/v2/customers/{LEJLA}", None, {"status", "id", "uuid", "deleted"}),
]


def signed(wire: Wire, method: str, target: str, body: object = None) -> Answer:
    """Send a request with a digest of now."""
    text, at = "" if body is None else json.dumps(body), int(time.time())
    digest = hashlib.sha512(f"{KEY}{at}{TOKEN}{target}{text}".encode()).hexdigest()
    headers = ["Host: ipgtest.monri.com", f"Authorization: WP3-v2.1 {TOKEN} {at} {digest}"]
    return wire.send(request_of(method, target, [*headers, "Content-Type: application/json"], text))


@pytest.mark.parametrize(("method", "target", "body", "keys"), REQUESTS)
def test_request_of_the_document_returns_what_the_document_says(
    method: str, target: str, body: dict[str, object] | None, keys: set[str], wire: Wire
) -> None:
    answer = signed(wire, method, target, body)
    response = answer.json()
    assert (answer.status, response["status"], response.keys()) == (200, "approved", keys)
    assert (body or {}).items() <= response.items()
    if "data" in response:
        fields = METHOD_FIELDS if "payment-methods" in target else MONRI_FIELDS
        assert response["data"]
        assert all(each.keys() == fields for each in response["data"])


def test_requests_of_the_document_work_with_an_access_token_too(wire: Wire) -> None:
    grant = {"client_id": TOKEN, "client_secret": KEY, "grant_type": "client_credentials"}
    headers = ["Host: ipgtest.monri.com"]
    response = wire.send(request_of("POST", "/v2/oauth", headers, json.dumps(grant))).json()
    headers.append(f"Authorization: {response['token_type']} {response['access_token']}")
    for method, target, body, keys in REQUESTS:
        text = "" if body is None else json.dumps(body)
        answer = wire.send(request_of(method, target, headers, text))
        assert (answer.status, answer.json().keys()) == (200, keys), target


def test_example_values_of_the_document_give_its_example_response(wire: Wire) -> None:
    made = signed(wire, "POST", "/v2/customers", CUSTOMER).json()
    assert made == CUSTOMER | {name: made[name] for name in MADE}
    assert (made["deleted"], made["deleted_at"]) == (False, None)
    for target in (f"/v2/customers/{made['uuid']}", "/v2/merchants/customers/customer-id-1234"):
        assert signed(wire, "GET", target).json() == made
    assert signed(wire, "GET", "/v2/customers").json()["data"][0] == made, "the newest first"


def test_update_keeps_fields_that_are_not_sent_and_null_removes_a_key(wire: Wire) -> None:
    made = signed(wire, "POST", "/v2/customers", CUSTOMER).json()
    change = {"phone": "+38733555010", "metadata": {"key": None, "other": "x"}}
    changed = signed(wire, "POST", f"/v2/customers/{made['uuid']}", change).json()
    after = {"phone": "+38733555010", "metadata": {"other": "x"}}
    assert changed == made | after | {"updated_at": changed["updated_at"]}


def test_deleted_customer_is_returned_as_the_document_says(wire: Wire) -> None:
    answer = signed(wire, "DELETE", f"/v2/customers/{LEJLA}").json()
    assert answer == {"status": "approved", "id": LEJLA, "uuid": LEJLA, "deleted": True}
    read = signed(wire, "GET", f"/v2/customers/{LEJLA}").json()
    assert (read["deleted"], read["deleted_at"] is None) == (True, False)
    listed = signed(wire, "GET", "/v2/customers").json()["data"]
    assert LEJLA not in [each["uuid"] for each in listed]


def test_limit_and_offset_must_be_valid_numbers(wire: Wire) -> None:
    for path in ("/v2/customers", f"/v2/customers/{NADIA}/payment-methods"):
        answer = signed(wire, "GET", f"{path}?limit=x&offset=-")
        errors = ["limit must be a valid number", "offset must be a valid number"]
        assert (answer.status, answer.json()["errors"]) == (400, errors)


LIMITS = {
    "merchant_customer_id": (1, 100),
    "description": (1, 200),
    "email": (1, 200),
    "name": (1, 50),
    "phone": (1, 30),
    "zip_code": (1, 9),
    "city": (3, 30),
    "address": (3, 100),
    "country": (2, 2),
}


def test_fields_have_the_lengths_of_the_document(wire: Wire) -> None:
    for field, (low, high) in LIMITS.items():
        for length, status in ((low - 1, 400), (low, 200), (high, 200), (high + 1, 400)):
            answer = signed(wire, "POST", "/v2/customers", {field: "c" * length})
            assert answer.status == status, (field, length, answer.json())
