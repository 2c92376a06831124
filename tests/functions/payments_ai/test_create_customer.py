"""POST …/customers. Source: docs/api/payments-ai.md, sections 1, 2.1 and 6."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from functions.payments_ai.create_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import TIME, ULID, Reply
from tests.functions.payments_ai.conftest import (
    FIELDS,
    FORBIDDEN,
    KEY,
    UNAUTHORIZED,
    Shop,
    details,
    values_of,
)

NADIA = {
    "firstName": "Nadia",
    "lastName": "Okoro",
    "email": "nadia@shop.test",
    "phoneNumber": "+44 20 7946 0011",
    "language": "fr",
    "address": {
        "country": "GB",
        "address1": "4 Quay Rd",
        "city": "Leith",
        "region": "EDH",
        "zip": "EH6 6AA",
    },
    "metadata": {"tier": "gold"},
}


def test_the_event_file_returns_201_with_the_documented_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/create_customer")
    assert reply.status == 201
    assert list(reply.body) == FIELDS
    assert re.fullmatch(f"cus_{ULID}", reply.body["id"])
    path = "/v1/public-api/organizations/org_456/customers/"
    assert reply.headers["location"] == path + reply.body["id"]
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


def test_all_fields_are_returned_and_stored_as_sent(shop: Shop) -> None:
    made = shop.customer(**NADIA)
    assert {name: made[name] for name in NADIA} == NADIA
    rest = values_of(made, "organizationId", "status", "revision", "deletedTime", "primaryAddress")
    assert rest == ["org_1", "active", 1, None, None]
    assert TIME.fullmatch(made["createdTime"])
    assert made["updatedTime"] == made["createdTime"]
    assert shop.ask("GET", f"/customers/{made['id']}").body == made


def test_p7_an_empty_body_returns_a_customer_with_all_keys(shop: Shop) -> None:
    made = shop.customer()
    unset = {name: made[name] for name in FIELDS[2:12]}
    assert unset == dict.fromkeys(unset) | {"metadata": {}, "customFields": {}}


def test_p7_null_is_unset_and_an_empty_text_is_stored(shop: Shop) -> None:
    made = shop.customer(**dict.fromkeys(NADIA))
    assert values_of(made, "firstName", "address", "metadata") == [None, None, {}]
    assert shop.customer(firstName="", phoneNumber=" ")["firstName"] == ""
    for field in ("email", "language"):
        assert details(shop.ask("POST", "/customers", {field: ""})).startswith(field)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "image/png"])
def test_p1_a_body_is_read_as_json_with_any_content_type(shop: Shop, kind: str) -> None:
    reply = shop.ask("POST", "/customers", {"firstName": "Žofie"}, content_type=kind)
    assert (reply.status, reply.body["firstName"]) == (201, "Žofie")


def test_p2_and_p14_unknown_and_assigned_fields_are_ignored(shop: Shop) -> None:
    ignored = {"id": "cus_x", "revision": 9, "status": "deleted", "createdTime": 7, "colour": []}
    made = shop.customer(**ignored, idempotencyKey="k", defaultPaymentInstrument={"a": 1})
    assert values_of(made, "revision", "status", "defaultPaymentInstrument") == [1, "active", None]
    assert made["id"] != "cus_x"
    reply = shop.ask("POST", "/customers?expand=a&expand=b&fields=", {})
    assert reply.status == 201


def test_the_path_with_a_slash_at_its_end_creates_a_customer_too(shop: Shop) -> None:
    assert shop.ask("POST", "/customers/", NADIA).status == 201
    assert shop.ask("GET", "/customers/").headers["location"].endswith("/org_1/customers")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "body: must be valid JSON"),
        (b"{", "body: must be valid JSON"),
        (b"{'a': 1}", "body: must be valid JSON"),
        (b"[]", "body: must be an object"),
        (b"null", "body: must be an object"),
        (b'"x"', "body: must be an object"),
        (b'{"email": "a@b.test", "email": "c@d.test"}', "body: names a key twice"),
        ({"email": "nobody"}, "email: must be a valid email address"),
        ({"email": "a@nowhere.local"}, "email: must be a valid email address"),
        ({"email": "a@nowhere.invalid"}, "email: must be a valid email address"),
        ({"email": 7}, "email: must be a string"),
        ({"email": "a" * 251 + "@b.c"}, "email: must be at most 254 characters"),
        ({"firstName": 1}, "firstName: must be a string"),
        ({"firstName": "x" * 256}, "firstName: must be at most 255 characters"),
        ({"lastName": ["x"]}, "lastName: must be a string"),
        ({"phoneNumber": "1" * 51}, "phoneNumber: must be at most 50 characters"),
        ({"language": "eng"}, "language: must be a two-letter ISO 639-1 code"),
        ({"language": "éñ"}, "language: must be a two-letter ISO 639-1 code"),
        ({"address": "4 Quay Rd"}, "address: must be an object"),
        ({"address": {"country": "GBR"}}, "address.country: must be a two-letter ISO 3166-1 code"),
        ({"address": {"city": 7}}, "address.city: must be a string"),
        ({"address": {"zip": "1" * 21}}, "address.zip: must be at most 20 characters"),
        ({"address": {"city": "x" * 101}}, "address.city: must be at most 100 characters"),
        ({"metadata": []}, "metadata: must be an object"),
        ({"metadata": {"": 1}}, "metadata: keys must be 1 to 255 characters"),
        ({"metadata": {"a": "x" * 8185}}, "metadata: must be at most 8192 bytes as JSON"),
        ({"metadata": {str(n): n for n in range(101)}}, "metadata: must have at most 100 keys"),
        ({"customFields": "x"}, "customFields: must be an object"),
        (
            {"defaultPaymentInstrumentId": "pm_1"},
            "defaultPaymentInstrumentId: does not belong to this customer",
        ),
    ],
)
def test_an_invalid_field_returns_400_with_its_path(shop: Shop, body: object, fault: str) -> None:
    assert details(shop.ask("POST", "/customers", body)) == fault
    assert shop.listed() == []


def test_all_errors_are_reported_in_the_documented_order_but_at_most_ten(shop: Shop) -> None:
    body = {"metadata": 1, "language": 1, "lastName": 1, "firstName": 1, "email": "x"}
    errors = details(shop.ask("POST", "/customers", body)).split("; ")
    order = ["firstName", "lastName", "email", "language", "metadata"]
    assert [error.partition(":")[0] for error in errors] == order
    address = dict.fromkeys(("country", "address1", "address2", "city", "region", "zip"), 7)
    errors = details(shop.ask("POST", "/customers", body | {"address": address})).split("; ")
    assert len(errors) == 10


def test_values_at_their_limits_are_stored_untrimmed(shop: Shop) -> None:
    most: dict[str, Any] = {
        "firstName": " " + "💶" * 254,
        "phoneNumber": "ext. " + "1" * 45,
        "metadata": {"a": "x" * 8184},
        "address": {"zip": "1" * 20, "city": None, "floor": {"number": 4}},
    }
    made = shop.customer(**most)
    assert {name: made[name] for name in most} == most


def test_metadata_with_any_json_keeps_its_order(shop: Shop) -> None:
    metadata = {"b": [1, None, {"c": 0.5}], "a": {"x" * 255: ""}, "yes": True, "one": 1}
    made = shop.customer(metadata=metadata)
    assert json.dumps(made["metadata"]) == json.dumps(metadata)


def test_p8_the_hidden_sample_address_returns_400(shop: Shop) -> None:
    fault = details(shop.ask("POST", "/customers", {"email": "[email protected]"}))
    assert fault == "email: must be a valid email address"


def test_p9_two_customers_can_have_the_same_email_address(shop: Shop) -> None:
    made = [shop.customer(email="Nadia.O@Shop.TEST") for _ in range(2)]
    assert {each["email"] for each in made} == {"Nadia.O@Shop.TEST"}
    assert made[0]["id"] != made[1]["id"]


@pytest.mark.parametrize("street", ["4 Quay Rd", None])
def test_p10_address_address_returns_400(shop: Shop, street: str | None) -> None:
    error = details(shop.ask("POST", "/customers", {"address": {"address": street}}))
    assert error == "address.address: not allowed, use address1"


LATER = {
    "customerAddress": {"country": "gb", "address": "4 Quay Rd", "city": "Leith"},
    "firstName": "Nadia",
    "lastName": "Okoro",
    "emails": [{"value": "second@shop.test"}, {"value": "n@shop.test", "primary": True}],
    "phoneNumbers": [{"value": "0131"}, {"value": "0132", "primary": False}],
}
FAMILY = {"country": "US", "address": "1 Main St", "address2": "b", "postalCode": "62701"}


def test_p11_primary_address_fills_the_flat_fields(shop: Shop) -> None:
    made = shop.customer(primaryAddress=LATER)
    assert made["primaryAddress"] == LATER
    derived = values_of(made, "firstName", "lastName", "email", "phoneNumber", "address")
    address = {"country": "GB", "address1": "4 Quay Rd", "city": "Leith"}
    assert derived == ["Nadia", "Okoro", "n@shop.test", "0131", address]
    made = shop.customer(primaryAddress=FAMILY)
    assert made["address"] == {
        "country": "US",
        "address1": "1 Main St",
        "address2": "b",
        "zip": "62701",
    }


def test_p11_flat_fields_win_over_primary_address_also_with_null(shop: Shop) -> None:
    made = shop.customer(primaryAddress=LATER, firstName="N.", email=None)
    assert values_of(made, "firstName", "lastName", "email") == ["N.", "Okoro", None]
    odds: list[dict[str, Any]] = [{}, {"emails": "x", "phoneNumbers": [7, {}]}]
    for odd in (*odds, {"customerAddress": {}}):
        assert values_of(shop.customer(primaryAddress=odd), "primaryAddress", "email") == [
            odd,
            None,
        ]


def test_p11_an_invalid_value_in_primary_address_is_reported_with_its_path(shop: Shop) -> None:
    later = {"emails": [{"value": "x"}], "country": "GBR", "firstName": 7}
    errors = details(shop.ask("POST", "/customers", {"primaryAddress": later})).split("; ")
    assert errors == [
        "primaryAddress.firstName: must be a string",
        "primaryAddress.emails: must be a valid email address",
        "primaryAddress.country: must be a two-letter ISO 3166-1 code",
    ]


def test_both_addresses_over_8_kib_together_return_400(shop: Shop) -> None:
    fault = "address: must be at most 8192 bytes as JSON, both forms together"
    half = {"note": "x" * 4085}
    assert shop.customer(address=half, primaryAddress=half)["address"] == half
    body = {"address": half, "primaryAddress": {"note": "x" * 4086}}
    assert details(shop.ask("POST", "/customers", body)) == fault


CREDENTIALS = [
    {"authorization": f"ApiKey {KEY}"},
    {"authorization": f"apikey    {KEY} "},
    {"authorization": f"APIKEY {KEY}", "reb_apikey": "wrong"},
    {"reb_apikey": KEY},
]


@pytest.mark.parametrize("headers", CREDENTIALS)
def test_p4_a_key_is_accepted_in_both_headers(
    shop: Shop, guest: Any, headers: dict[str, str]
) -> None:
    assert Shop(guest, "org_1").ask("POST", "/customers", {}, **headers).status == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": KEY},
        {"authorization": "ApiKey"},
        {"authorization": "ApiKey wrong"},
        {"authorization": f"ApiKey {KEY}x"},
        {"authorization": f"ApiKey {KEY.upper()}"},
        {"authorization": f"Bearer {KEY}", "reb_apikey": KEY},
        {"authorization": "ApiKey wrong", "reb_apikey": KEY},
        {"reb_apikey": ""},
        {"reb_apikey": f"ApiKey {KEY}"},
        {"reb_apikey": "ü" * 600},
        {"x_session_id": "session_abc123"},
    ],
)
def test_a_missing_or_wrong_key_returns_401(
    shop: Shop, guest: Any, headers: dict[str, str]
) -> None:
    for path in ("/customers", "/customers/"):
        reply = Shop(guest, "org_1").ask("POST", path, b"{", **headers)
        assert (reply.status, reply.body) == (401, UNAUTHORIZED)


def test_p5_a_key_of_another_organization_returns_403_before_the_body_is_read(
    shop: Shop, other_shop: Shop
) -> None:
    reply = Shop(other_shop.api, "org_1").ask("POST", "/customers", b"{")
    assert (reply.status, reply.body) == (403, FORBIDDEN)
    assert shop.listed() == []


def test_p13_a_body_over_4_mb_returns_413(shop: Shop) -> None:
    room = 4 * 1024 * 1024 - len(b'{"a": ""}')
    whole, too_much = (b'{"a": "' + b"x" * size + b'"}' for size in (room, room + 1))
    assert shop.ask("POST", "/customers", whole).status == 201
    reply = shop.ask("POST", "/customers", too_much, authorization="none")
    assert (reply.status, reply.body) == (
        413,
        {
            "errorCode": "PAYLOAD_TOO_LARGE",
            "statusCode": 413,
            "message": "Request entity too large",
        },
    )


def test_p29_one_idempotency_key_creates_one_customer_and_with_another_body_returns_409(
    shop: Shop, other_shop: Shop
) -> None:
    key = "k" * 99 + " "
    first = shop.ask("POST", "/customers", {"firstName": "A", "lastName": "B"}, idempotency_key=key)
    again = b'{ "lastName":"B", "firstName" : "A" }'
    assert shop.ask("PUT", f"/customers/{first.body['id']}", {"firstName": "Z"}).status == 200
    for path in ("/customers", "/customers/"):
        reply = shop.ask("POST", path, again, idempotency_key=key)
        assert (reply.status, reply.text) == (201, first.text)
        assert reply.headers["location"] == first.headers["location"]
    assert len(shop.listed()) == 1
    error = details(shop.ask("POST", "/customers", {}, idempotency_key=key), 409)
    assert error == "Idempotency-Key: was used with another request"
    assert other_shop.ask("POST", "/customers", {}, idempotency_key=key).status == 201


@pytest.mark.parametrize("key", ["", "k" * 101])
def test_p29_an_idempotency_key_of_0_or_101_characters_returns_400(shop: Shop, key: str) -> None:
    reply = shop.ask("POST", "/customers", {}, idempotency_key=key)
    assert details(reply) == "Idempotency-Key: must be 1 to 100 characters"


def test_p29_a_failed_request_is_not_replayed_and_a_key_expires_after_24_hours(
    shop: Shop, later: Callable[[float], None]
) -> None:
    assert shop.ask("POST", "/customers", {"email": "x"}, idempotency_key="k").status == 400
    made = shop.ask("POST", "/customers", {}, idempotency_key="k")
    later(24 * 3600 - 5)
    assert shop.ask("POST", "/customers", {}, idempotency_key="k").text == made.text
    later(6)
    other = shop.ask("POST", "/customers", {}, idempotency_key="k")
    assert (other.status, other.body["id"] != made.body["id"]) == (201, True)


def test_the_native_api_shows_a_name_made_of_first_and_last_name(
    shop: Shop, signed_in: Any
) -> None:
    made = shop.customer(firstName="Nadia", lastName="Okoro")
    member = signed_in("user_1", org_1="member")
    native = member.get(f"/customers/{made['id'].replace('cus_', 'cust_')}")
    assert (native.status, native.body["name"]) == (200, "Nadia Okoro")
