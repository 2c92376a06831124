"""The bodies of requests about payments. Source: docs/api/native.md, section 4."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge.api_adapters.native import payment_bodies
from bridge.errors import InvalidRequest, NotAuthenticated
from bridge.inbound import Request
from bridge.models.caller import Caller
from tests.api_adapters.conftest import request_of

OWNER = Caller(user_id="user_1")
NEW = {"total_cents": 2000, "currency": "usd"}


def test_read_confirmation_accepts_an_empty_body_and_read_new_payment_does_not() -> None:
    assert payment_bodies.read_confirmation(request_of(method="POST")).payment_method_id is None
    spaces = request_of(method="POST", body=b" \n")
    assert payment_bodies.read_confirmation(spaces).payment_method_id is None
    with pytest.raises(InvalidRequest):
        payment_bodies.read_new_payment(request_of(method="POST", caller=OWNER))


@pytest.mark.parametrize(
    "read",
    [
        payment_bodies.read_confirmation,
        payment_bodies.read_cancellation,
        payment_bodies.read_capture,
        payment_bodies.read_new_refund,
    ],
)
def test_body_of_a_money_call_may_be_empty_but_has_no_card_number(
    read: Callable[[Request], Any],
) -> None:
    assert read(request_of(method="POST")).model_fields_set == set()
    with pytest.raises(InvalidRequest) as refused:
        read(request_of(method="POST", body={"card_number": "4242424242424242"}))
    assert [each.field for each in refused.value.details] == ["card_number"]


def test_b8_read_new_payment_needs_a_user_or_guest_data() -> None:
    request = request_of(method="POST", caller=OWNER, body=NEW)
    assert payment_bodies.read_new_payment(request).currency == "USD"
    with pytest.raises(NotAuthenticated):
        payment_bodies.read_new_payment(request_of(method="POST", body=NEW))


def test_read_payment_change_has_only_the_sent_fields() -> None:
    body = {"description": "new", "concept": None}
    change = payment_bodies.read_payment_change(request_of(method="PUT", body=body))
    assert change.model_fields_set == {"description"}
