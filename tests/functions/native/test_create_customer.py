"""POST /bridge-payment/customers. Source: docs/api/native.md, sections 1, 2 and 3."""

import json
import re
from collections.abc import Callable

import pytest

from functions.native.create_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    LONG_KEY,
    TIME,
    ULID,
    Api,
    Reply,
)
from tests.response_fields import (
    CUSTOMER_FIELDS,
)

NEW = {"provider_id": "stripe", "email": "jane@example.com"}
Setting = Callable[[str, str], None]


def test_create_customer_with_event_file_returns_documented_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/create_customer")
    assert reply.status == 201
    assert reply.body.keys() == CUSTOMER_FIELDS
    given = ("provider_id", "email", "name", "first_name", "last_name", "phone", "is_guest")
    assert [reply.body[name] for name in given] == [
        "stripe",
        "jane.doe@example.com",
        "Jane Doe",
        "Jane",
        "Doe",
        "+1234567890",
        False,
    ]
    assert reply.body["user_id"] == "user_456"
    assert reply.body["provider_customer_id"].startswith("cus_")
    assert TIME.fullmatch(reply.body["created_at"])
    assert reply.headers["content-type"] == "application/json"


def test_create_customer_calls_provider_once_with_key_of_customer(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    customer = api.customer(phone="+1 (555) 010-0", metadata={"tier": "gold"})
    (sent,) = stripe_simulator.requests
    assert sent.operation == "create_customer"
    assert sent.headers["Idempotency-Key"] == customer["id"].removeprefix("cust_") + ".c"
    assert sent.form == {
        "email": "jane@example.com",
        "name": "User 456",
        "phone": "+1 (555) 010-0",
        "metadata[tier]": "gold",
        "metadata[customer_id]": customer["id"],
    }
    assert api.get(f"/customers/{customer['id']}").body == customer


def test_b1_customer_ids_are_typeids_that_sort_by_creation(api: Api) -> None:
    ids = [api.customer()["id"] for _ in range(3)]
    assert all(re.fullmatch(f"cust_{ULID}", each) for each in ids)
    assert ids == sorted(ids)


def test_b2_create_customer_ignores_unknown_fields_and_null(api: Api) -> None:
    customer = api.customer(colour="blue", phone=None, metadata=None, guest_data=None, name=None)
    assert customer["phone"] is None
    assert customer["metadata"] == {}
    assert "colour" not in customer


@pytest.mark.parametrize("field", ["email", "name", "first_name", "last_name", "phone"])
@pytest.mark.parametrize("value", [7, True, ["x"], {"a": "b"}])
def test_b2_create_customer_with_wrong_type_returns_400_on_field(
    api: Api, field: str, value: object
) -> None:
    reply = api.post("/customers", NEW | {field: value})
    assert (reply.status, reply.code, reply.fields) == (400, "validation_failed", {field})


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[]",
        b'"text"',
        b"null",
        b'{"email": "a\xff"}',
        b'{"name": "\\ud800"}',
        b'{"metadata": {"\\udfff": 1}}',
        b'{"metadata": {"a": NaN}}',
        b'{"metadata": {"a": -Infinity}}',
        b'{"metadata": {"a": 1e999}}',
        b'{"metadata": {"a": 1234567890123456789}}',
        b'{"email": "a@example.com", "email": "b@example.com"}',
        b'{"metadata": {"a": 1, "a": 2}}',
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 100_000,
        b'{"name": "a" "b"}',
        b"{'name': 'a'}",
        b'{"a": 01}',
    ],
)
def test_b3_create_customer_with_malformed_body_returns_400_invalid_json(
    api: Api, body: bytes
) -> None:
    reply = api.post("/customers", body)
    assert (reply.status, reply.code) == (400, "invalid_json")


def test_b3_body_at_its_limits_returns_201_and_above_them_413(api: Api) -> None:
    deep: object = 1
    for _ in range(31):  # with the body's own braces: 32
        deep = {"a": deep}
    customer = api.customer(unknown=deep, metadata={"most": 999_999_999_999_999_999})
    assert customer["metadata"] == {"most": 999_999_999_999_999_999}
    room = 256 * 1024 - len(json.dumps(NEW | {"unknown": ""}))
    whole, too_much = NEW | {"unknown": "x" * room}, NEW | {"unknown": "x" * (room + 1)}
    assert api.post("/customers", whole).status == 201
    reply = api.post("/customers", too_much)
    assert (reply.status, reply.code) == (413, "body_too_large")


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "image/png", ""])
def test_b3_create_customer_reads_body_of_any_content_type(api: Api, kind: str) -> None:
    reply = api.with_headers(content_type=kind).post("/customers", NEW | {"name": "Žofie"})
    assert (reply.status, reply.body["name"]) == (201, "Žofie")


FIFTY = {f"key {number}": f"value {number}" for number in range(50)}


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("name", "  Jane \u00a0", "Jane"),
        ("name", "x" * 200, "x" * 200),
        ("email", " Jane@Example.COM ", "Jane@example.com"),
        ("email", "jane@shop.test", "jane@shop.test"),
        ("phone", "+1234567890", "+1234567890"),
        ("phone", " (020) 79-46.0 ", "(020) 79-46.0"),
        ("phone", "123", "123"),
        ("metadata", {"text": " line\n\tnext ", "n": 1, "f": 2.5, "b": True}, None),
        ("metadata", FIFTY, FIFTY),
        ("metadata", {"k" * 40: "v" * 500}, {"k" * 40: "v" * 500}),
        ("metadata", {"gone": None, "here": "x"}, {"here": "x"}),
    ],
)
def test_b4_create_customer_trims_and_keeps_valid_values(
    api: Api, field: str, given: object, kept: object
) -> None:
    customer = api.customer(**{field: given})
    expected = kept or {"text": "line\n\tnext", "n": 1, "f": 2.5, "b": True}
    assert customer[field] == expected
    assert api.get(f"/customers/{customer['id']}").body[field] == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", "[email protected]"),
        ("email", "[email\u2026protected]"),
        ("email", "a@b"),
        ("email", ""),
        ("email", f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.example.com"),
        ("name", "x" * 201),
        ("first_name", "line\nnext"),
        ("last_name", "bell\u0007"),
        ("name", "c1\u0085control"),
        ("phone", "12"),
        ("phone", "1" * 31),
        ("phone", "+1 555 CALL"),
        ("phone", "1\t234"),
        ("organization_id", ""),
    ],
)
def test_b4_create_customer_with_invalid_text_returns_400_on_field(
    api: Api, field: str, value: str
) -> None:
    reply = api.post("/customers", NEW | {field: value})
    assert (reply.status, reply.fields) == (400, {field})


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"a": {"b": 1}}, "metadata.a"),
        ({"a": [1]}, "metadata.a"),
        ({"k" * 41: 1}, "metadata." + "k" * 41),
        ({"a": "v" * 501}, "metadata.a"),
        ({"a": "bell\u0007"}, "metadata.a"),
        ({"a": 1e200}, "metadata.a"),
        ({str(number): 1 for number in range(51)}, "metadata"),
        ({str(number): "é" * 300 for number in range(14)}, "metadata"),
        ("text", "metadata"),
        ([], "metadata"),
    ],
)
def test_b4_create_customer_with_invalid_metadata_returns_400_on_path(
    api: Api, metadata: object, field: str
) -> None:
    reply = api.post("/customers", NEW | {"metadata": metadata})
    assert (reply.status, reply.fields) == (400, {field})


def test_b4_create_customer_with_nested_metadata_returns_message_about_nesting(api: Api) -> None:
    reply = api.post("/customers", NEW | {"metadata": {"a": {"b": 1}}})
    (detail,) = reply.body["details"]
    assert "nested" in detail["message"]


def test_b4_create_customer_keeps_50_metadata_keys_and_sends_at_most_50(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    customer = api.customer(metadata=FIFTY)
    assert customer["metadata"] == FIFTY
    sent = stripe_simulator.customers()[0]["metadata"]
    assert isinstance(sent, dict)
    assert sent["customer_id"] == customer["id"]
    assert len(sent) <= 50


def test_b5_create_customer_reports_all_invalid_fields_without_their_values(api: Api) -> None:
    wrong = {
        "provider_id": "square",
        "email": "nobody",
        "phone": 5,
        "metadata": {"a": {}, "b": "v" * 501},
        "guest_data": {"email": "nobody"},
    }
    reply = api.with_headers(x_request_id="req-1").post("/customers", wrong)
    assert reply.status == 400
    assert reply.body.keys() == {"error", "code", "details", "request_id"}
    assert isinstance(reply.body["error"], str)
    assert reply.body["request_id"] == reply.headers["x-request-id"] == "req-1"
    assert reply.fields == {
        *("provider_id", "email", "phone", "metadata.a", "metadata.b"),
        *("guest_data.email", "guest_data.name"),
    }
    assert "nobody" not in reply.text


def test_b5_error_without_invalid_field_has_no_details(guest: Api) -> None:
    reply = guest.post("/customers", NEW)
    assert reply.status == 401
    assert reply.body.keys() == {"error", "code", "request_id"}


def test_create_customer_without_available_provider_returns_400_on_field(api: Api) -> None:
    missing = api.post("/customers", {"email": "jane@example.com"})
    assert (missing.status, missing.fields) == (400, {"provider_id"})
    for closed in ("paypal", "authorize_net"):
        reply = api.post("/customers", NEW | {"provider_id": closed})
        assert (reply.status, reply.fields) == (400, {"provider_id"})
        assert closed in reply.body["error"]


def test_b8_guest_creates_customer_and_gets_token_that_reads_it(guest: Api) -> None:
    customer = guest.customer(email=None, guest_data=GUEST)
    assert customer.keys() == CUSTOMER_FIELDS | {"guest_token"}
    assert (customer["is_guest"], customer["user_id"]) == (True, None)
    assert customer["guest_email"] == customer["email"] == GUEST["email"]
    assert (customer["name"], customer["phone"]) == (GUEST["name"], GUEST["phone"])
    reply = guest.with_headers(x_guest_token=customer["guest_token"]).get(
        f"/customers/{customer['id']}"
    )
    assert reply.status == 200
    assert reply.body.keys() == CUSTOMER_FIELDS


def test_b8_create_customer_without_credential_and_guest_data_returns_401(guest: Api) -> None:
    reply = guest.post("/customers", NEW)
    assert (reply.status, reply.code) == (401, "authentication_required")


def test_b8_guest_token_counts_as_no_credential_on_creation(guest: Api) -> None:
    token = guest.customer(guest_data=GUEST)["guest_token"]
    with_token = guest.with_headers(x_guest_token=token)
    assert with_token.post("/customers", NEW).status == 401
    assert with_token.customer(guest_data=GUEST)["is_guest"] is True
    invalid = guest.with_headers(x_guest_token="k1.not-a-token")
    assert invalid.post("/customers", NEW | {"guest_data": GUEST}).status == 401


def test_b8_guest_data_with_session_only_fills_missing_fields(api: Api) -> None:
    customer = api.customer(email=None, guest_data=GUEST | {"email": "spare@example.com"})
    assert (customer["is_guest"], customer["guest_email"]) == (False, None)
    assert customer["user_id"] == "user_456"
    assert customer["email"] == "spare@example.com"
    assert customer["phone"] == GUEST["phone"]
    second = api.customer(name="Chosen", phone="12345", guest_data=GUEST)
    assert (second["email"], second["name"]) == ("jane@example.com", "Chosen")
    assert second["phone"] == "12345"


def test_b8_create_customer_without_email_uses_email_of_session(api: Api) -> None:
    assert api.customer(email=None)["email"] == "user_456@example.com"


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 201), ("admin", 201), ("billing", 201), ("member", 403)]
)
def test_b9_create_customer_in_organization_needs_writing_role(
    signed_in: Callable[..., Api], role: str, status: int
) -> None:
    reply = signed_in("user_1", org_1=role).post("/customers", NEW | {"organization_id": "org_1"})
    assert reply.status == status
    assert reply.body.get("code", "") == ("forbidden" if status == 403 else "")


def test_b9_create_customer_in_organization_without_membership_returns_403(
    stranger: Api, guest: Api
) -> None:
    body = NEW | {"organization_id": "org_456"}
    assert stranger.post("/customers", body).status == 403
    assert guest.post("/customers", body | {"guest_data": GUEST}).status == 403


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"first_name": "Jane", "last_name": "Doe"}, "Jane Doe"),
        ({"first_name": "Jane"}, "Jane"),
        ({"last_name": "Doe"}, "Doe"),
        ({"name": "J. Doe", "first_name": "Jane", "last_name": "Doe"}, "J. Doe"),
        ({"name": " ", "first_name": "Jane"}, "Jane"),
        ({}, "User 456"),
    ],
)
def test_b11_name_defaults_to_first_and_last_name(
    api: Api, given: dict[str, str], name: str
) -> None:
    assert api.customer(**given)["name"] == name


def test_b17_create_customer_with_same_key_is_replayed_and_created_once(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    keyed = api.with_headers(idempotency_key="k1")
    first = keyed.post("/customers", NEW | {"name": "Jane"})
    again = keyed.post("/customers", {"name": "Jane"} | NEW)  # another order of the keys
    assert (first.status, first.replayed) == (201, False)
    assert (again.status, again.replayed) == (201, True)
    assert again.body == first.body
    assert len(stripe_simulator.customers()) == 1
    assert len(api.get("/customers").body) == 1


def test_b17_same_key_with_other_body_or_path_returns_409(api: Api) -> None:
    keyed = api.with_headers(idempotency_key="k1")
    keyed.customer()
    other_body = keyed.post("/customers", NEW | {"name": "Other"})
    other_path = keyed.post("/payments/intents", {"total_cents": 2000, "currency": "USD"})
    for reply in (other_body, other_path):
        assert (reply.status, reply.code) == (409, "idempotency_key_reused")


def test_b17_same_key_of_other_caller_is_another_request(api: Api, stranger: Api) -> None:
    first = api.with_headers(idempotency_key="k1").customer()
    second = stranger.with_headers(idempotency_key="k1").customer()
    assert first["id"] != second["id"]


def test_b17_failed_responses_are_not_stored(
    api: Api, stripe_simulator: StripeSimulator, setting: Setting
) -> None:
    keyed = api.with_headers(idempotency_key="k1")
    assert keyed.post("/customers", NEW | {"email": "nobody"}).status == 400
    stripe_simulator.fault("create_customer", "429")
    assert keyed.post("/customers", NEW).status == 503
    stripe_simulator.fault("create_customer", "drop_after", times=2)
    assert keyed.post("/customers", NEW).status == 504
    reply = keyed.post("/customers", NEW)
    assert (reply.status, reply.replayed) == (201, False)
    # The retry is the same call as the lost one, so the provider has one customer.
    assert len(stripe_simulator.customers()) == 1
    assert keyed.post("/customers", NEW).replayed


def test_b17_guest_key_needs_20_characters_and_is_scoped_by_email(guest: Api) -> None:
    body = NEW | {"email": None, "guest_data": GUEST}
    short = guest.with_headers(idempotency_key="k" * 19).post("/customers", body)
    assert (short.status, short.fields) == (400, {"Idempotency-Key"})
    keyed = guest.with_headers(idempotency_key=LONG_KEY)
    first, again = keyed.post("/customers", body), keyed.post("/customers", body)
    assert (again.status, again.replayed) == (201, True)
    assert again.body["id"] == first.body["id"]
    with_token = guest.with_headers(x_guest_token=again.body["guest_token"])
    assert with_token.get(f"/customers/{first.body['id']}").status == 200
    other = body | {"guest_data": GUEST | {"email": "other@example.com"}}
    assert keyed.post("/customers", other).body["id"] != first.body["id"]


@pytest.mark.parametrize("key", ["", "two words", "umlaut-ä", "k" * 256, "tab\t"])
def test_b17_create_customer_with_invalid_key_returns_400(api: Api, key: str) -> None:
    reply = api.with_headers(idempotency_key=key).post("/customers", NEW)
    assert (reply.status, reply.fields) == (400, {"Idempotency-Key"})


def test_guest_creations_above_limit_of_ip_or_email_return_429(
    guest: Api, setting: Setting
) -> None:
    setting("GUEST_CREATIONS_PER_MINUTE", "2")
    setting("GUEST_CREATIONS_PER_HOUR", "3")

    def status(ip: str, email: str) -> int:
        body = {"provider_id": "stripe", "guest_data": GUEST | {"email": email}}
        reply = guest.post("/customers", body, ip)
        assert reply.status == 201 or int(reply.headers["retry-after"]) > 0
        return reply.status

    assert [status("192.0.2.1", f"{n}@example.com") for n in range(3)] == [201, 201, 429]
    by_email = [status(f"192.0.2.{n}", "Donor@example.com".swapcase()) for n in range(10, 14)]
    assert by_email == [201, 201, 201, 429]


def test_create_customer_with_provider_down_returns_503_and_stores_nothing(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    stripe_simulator.stop()
    try:
        reply = api.post("/customers", NEW)
    finally:
        stripe_simulator.start()
    assert (reply.status, reply.code) == (503, "provider_unavailable")
    assert api.get("/customers").body == []
