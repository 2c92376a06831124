"""POST /customers/{id}/users. Source: docs/api/alternative.md, section 6."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from functions.alternative.create_customer_user.handler import handler
from tests.functions.alternative.conftest import USER, USER_SAMPLE, create, refusal
from tests.functions.conftest import TIME, ULID, Api, Reply

Company = dict[str, Any]


@pytest.fixture
def users(company: Company) -> str:
    return f"/customers/{company['id']}/users"


def test_the_event_file_returns_201_with_the_documented_user(
    demo_data: None, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "alternative/create_customer_user")
    assert reply.status == 201
    assert reply.body.keys() == USER
    assert re.fullmatch(f"usr_{ULID}", reply.body["id"])
    assert TIME.fullmatch(reply.body["created_at"])
    assert {"email": "text", "first_name": "text", "last_name": "text"}.items() <= (
        reply.body.items()
    )
    assert reply.body["job_title"] is reply.body["phone"] is None


def test_the_sample_body_of_55_bytes_can_be_sent_again(merchant: Api, users: str) -> None:
    assert len(USER_SAMPLE) == 55
    replies = [merchant.send("POST", users, USER_SAMPLE) for _ in range(2)]
    assert [each.status for each in replies] == [201, 201]
    assert merchant.send("GET", users).body["data"] == [each.body for each in replies[::-1]]


def test_a12_a_job_title_and_a_phone_are_stored_too(merchant: Api, users: str) -> None:
    sent = {"email": None, "first_name": "", "job_title": "Buyer", "phone": "call me", "x": 1}
    made = create(merchant, users, **sent)
    assert made == dict.fromkeys(USER) | {
        "id": made["id"],
        "created_at": made["created_at"],
        "job_title": "Buyer",
        "phone": "call me",
    }


@pytest.mark.parametrize(
    ("field", "most"),
    [("email", 254), ("first_name", 100), ("last_name", 100), ("job_title", 100), ("phone", 30)],
)
def test_a_field_over_its_limit_returns_422_and_of_another_type_400(
    field: str, most: int, merchant: Api, users: str
) -> None:
    assert create(merchant, users, **{field: "x" * most})[field] == "x" * most
    reply = merchant.send("POST", users, {field: "x" * (most + 1)})
    too_long = {field: [f"must be at most {most} characters"]}
    assert refusal(reply) == (422, "validation_failed", too_long)
    reply = merchant.send("POST", users, {field: "a\x00b"})
    assert refusal(reply)[:2] == (422, "validation_failed")
    status, code, errors = refusal(merchant.send("POST", users, {field: 7}))
    assert (status, code, set(errors)) == (400, "bad_request", {field})


def test_types_are_checked_before_the_customer_is_found_and_limits_after(
    merchant: Api, rival: Api, users: str
) -> None:
    nobody = "/customers/cus_01kghch8h0frsaj9kmjnbzfytr/users"
    for caller, target in ((merchant, nobody), (merchant, "/customers/x/users"), (rival, users)):
        assert refusal(caller.send("POST", target, {"email": 7}))[0] == 400
        assert refusal(caller.send("POST", target, b"{"))[0] == 400
        assert refusal(caller.send("POST", target, {"email": "x" * 255}))[0] == 404
        assert refusal(caller.send("POST", target, USER_SAMPLE))[0] == 404
    assert merchant.send("GET", users).body["data"] == []
