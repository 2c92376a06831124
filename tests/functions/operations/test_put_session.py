"""operations/put_session: writes a session of the mode `table` (B7)."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge import config
from functions.operations.put_session.handler import handler
from local import database
from tests.functions.conftest import USD_20, Api

Operate = Callable[..., dict[str, Any]]
ID = "session_0195d2f8c4e07b6aa1"  # of the event file


def test_event_file_signs_a_user_in(guest: Api, operate: Operate) -> None:
    assert guest.with_headers(x_session_id=ID).get("/payments").status == 401
    assert operate(handler, "operations/put_session") == {"ok": True}
    signed_in = guest.with_headers(x_session_id=ID)
    assert signed_in.get("/payments").status == 200
    made = signed_in.payment(organization_id="org_456")
    assert made["user_id"] == "user_456"
    customer = signed_in.get(f"/customers/{made['customer_id']}").body
    assert (customer["email"], customer["name"]) == ("jane.doe@example.com", "Jane Doe")


def test_b7_session_id_is_accepted_in_all_three_places(guest: Api, operate: Operate) -> None:
    operate(handler, "operations/put_session")
    assert guest.with_headers(authorization=f"Bearer {ID}").get("/payments").status == 200
    assert guest.with_headers(x_session_id=ID).get("/payments").status == 200
    assert guest.get(f"/payments?session_id={ID}").status == 200
    assert guest.post(f"/payments/intents?session_id={ID}", USD_20).status == 201


def test_b7_session_id_is_stored_as_hash_only(guest: Api, operate: Operate) -> None:
    operate(handler, "operations/put_session")
    items = database.client().scan(TableName=config.table_name("secrets"))["Items"]
    assert len(items) == 1
    assert ID not in str(items)


def test_replaced_session_takes_effect_at_once(guest: Api, operate: Operate) -> None:
    operate(handler, "operations/put_session")
    signed_in = guest.with_headers(x_session_id=ID)
    assert signed_in.get("/payments?organization_id=org_456").status == 200
    operate(handler, "operations/put_session", organizations={})
    assert signed_in.get("/payments?organization_id=org_456").status == 403


def test_b7_expired_session_returns_401(
    guest: Api, operate: Operate, later: Callable[[float], None]
) -> None:
    operate(handler, "operations/put_session")
    signed_in = guest.with_headers(x_session_id=ID)
    later(11 * 365 * 24 * 3600)
    reply = signed_in.get("/payments")
    assert (reply.status, reply.code) == (401, "session_invalid")


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"session_id": "short"}, {"session_id"}),
        ({"user_id": None}, {"user_id"}),
        ({"expires_at": "tomorrow"}, {"expires_at"}),
        ({"expires_at": "2036-01-15T10:30:00"}, {"expires_at"}),  # without a time zone
        ({"organizations": {"org_1": "boss"}}, {"organizations.org_1"}),
        ({"session_id": 5, "organizations": []}, {"session_id", "organizations"}),
    ],
)
def test_invalid_event_returns_validation_failed_without_values(
    guest: Api, operate: Operate, wrong: dict[str, object], fields: set[str]
) -> None:
    result = operate(handler, "operations/put_session", **wrong)
    assert (result["ok"], result["code"]) == (False, "validation_failed")
    assert {detail["field"] for detail in result["details"]} == fields
    assert ID not in str(result)
    assert guest.with_headers(x_session_id=ID).get("/payments").status == 401
