"""POST /customers. Source: docs/api/alternative.md, sections 1, 3 and 6."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from functions.alternative.create_customer.handler import handler
from tests.functions.alternative.conftest import CUSTOMER, SAMPLE, create, refusal
from tests.functions.conftest import TIME, ULID, Api, Reply

TEXT = {"email": "text", "external_id": "text", "name": "text"}


def test_the_event_file_returns_201_with_the_documented_customer(
    demo_data: None, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "alternative/create_customer")
    assert reply.status == 201
    assert reply.body.keys() == CUSTOMER
    assert re.fullmatch(f"cus_{ULID}", reply.body["id"])
    assert TIME.fullmatch(reply.body["created_at"])
    assert TEXT.items() <= reply.body.items()
    assert reply.headers["content-type"] == "application/json"


def test_the_sample_body_of_51_bytes_can_be_sent_again(merchant: Api) -> None:
    assert len(SAMPLE) == 51
    replies = [merchant.send("POST", "/customers", SAMPLE) for _ in range(3)]
    assert [each.status for each in replies] == [201] * 3
    assert len({each.body["id"] for each in replies}) == 3


def test_an_idempotency_key_is_ignored(merchant: Api) -> None:
    for key in ("key-1", "key-1", "", "é", "x" * 300):
        made = merchant.with_headers(idempotency_key=key).send("POST", "/customers", SAMPLE)
        assert made.status == 201
    assert len(merchant.send("GET", "/customers").body["data"]) == 5


@pytest.mark.parametrize("sent", [{}, {"name": None}, {"name": "", "email": "", "external_id": ""}])
def test_a1_unset_fields_are_null_and_all_keys_are_present(
    sent: dict[str, Any], merchant: Api
) -> None:
    made = create(merchant, **sent)
    assert made == dict.fromkeys(CUSTOMER) | {"id": made["id"], "created_at": made["created_at"]}
    assert merchant.send("GET", f"/customers/{made['id']}").body == made


def test_unknown_keys_are_ignored(merchant: Api) -> None:
    assert create(merchant, name="a", ein="12", legal_name=7).keys() == CUSTOMER


def test_a9_an_external_id_can_repeat_and_is_always_stored(merchant: Api) -> None:
    first, second = (create(merchant, external_id="erp-77") for _ in range(2))
    assert first["id"] != second["id"]
    assert first["external_id"] == second["external_id"] == "erp-77"


@pytest.mark.parametrize("field", ["name", "email", "external_id"])
@pytest.mark.parametrize("value", [7, 1.5, True, [], {}, ["x"]])
def test_a_field_of_another_type_returns_400(field: str, value: object, merchant: Api) -> None:
    status, code, errors = refusal(merchant.send("POST", "/customers", TEXT | {field: value}))
    assert (status, code, set(errors)) == (400, "bad_request", {field})


@pytest.mark.parametrize(("field", "most"), [("name", 255), ("email", 254), ("external_id", 255)])
def test_a_field_over_its_limit_in_characters_returns_422(
    field: str, most: int, merchant: Api
) -> None:
    assert create(merchant, **{field: "č" * most})[field] == "č" * most
    reply = merchant.send("POST", "/customers", {field: "č" * (most + 1)})
    errors = {field: [f"must be at most {most} characters"]}
    assert refusal(reply) == (422, "validation_failed", errors)
    assert reply.body["message"] == "Validation failed"


def test_all_fields_over_their_limits_are_reported(merchant: Api) -> None:
    sent = {"name": "x" * 256, "email": "a\x07b", "external_id": "\n" * 256}
    status, code, errors = refusal(merchant.send("POST", "/customers", sent))
    assert (status, code) == (422, "validation_failed")
    assert {field: len(each) for field, each in errors.items()} == {
        "name": 1,
        "email": 1,
        "external_id": 2,
    }


def test_types_are_checked_before_limits(merchant: Api) -> None:
    status, _, errors = refusal(merchant.send("POST", "/customers", {"name": 7, "email": "\x00"}))
    assert (status, set(errors)) == (400, {"name"})


@pytest.mark.parametrize("control", ["\x00", "\n", "\t", "\x1f", "\x7f", "\x85"])
def test_control_characters_return_422(control: str, merchant: Api) -> None:
    status, _, errors = refusal(merchant.send("POST", "/customers", {"name": f"a{control}b"}))
    assert (status, errors) == (422, {"name": ["must not hold control characters"]})


def test_an_email_is_stored_as_sent_without_a_check(merchant: Api) -> None:
    for email in ("text", "a@", " a b@example.com ", "ü@example.com"):
        assert create(merchant, email=email)["email"] == email


@pytest.mark.parametrize(
    "body", [b"", b" ", b"{", b"[]", b"null", b'"text"', b"7", b"a=b", b'{"name":"\xff"}']
)
def test_a_body_that_is_not_a_json_object_returns_400(body: bytes, merchant: Api) -> None:
    assert refusal(merchant.send("POST", "/customers", body)) == (400, "bad_request", {})


def test_a_body_over_256_kib_returns_413(merchant: Api) -> None:
    reply = merchant.send("POST", "/customers", b" " * (256 * 1024 + 1))
    assert refusal(reply) == (413, "payload_too_large", {})


def test_a_missing_credential_returns_401_and_creates_nothing(merchant: Api, guest: Api) -> None:
    reply = guest.send("POST", "/customers", SAMPLE)
    assert refusal(reply) == (401, "unauthorized", {})
    assert merchant.send("GET", "/customers").body["data"] == []


def test_the_native_api_shows_the_customer_to_its_organization_only(
    api: Api, merchant: Api, signed_in: Callable[..., Api]
) -> None:
    member = signed_in("user_1", org_1="member")
    made = create(merchant, name="Harbor", email="text")
    body = member.get(f"/customers/{made['id'].replace('cus_', 'cust_')}").body
    assert (body["name"], body["email"], body["organization_id"]) == ("Harbor", "text", "org_1")
    assert body["first_name"] is body["last_name"] is body["provider_customer_id"] is None
    assert api.get(f"/customers/{body['id']}").status == 404
