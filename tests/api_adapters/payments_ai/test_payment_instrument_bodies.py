"""The body with which an instrument is attached. Source: docs/api/payments-ai.md, section 3."""

from typing import Any

import pytest

from bridge.api_adapters.payments_ai import payment_instrument_bodies as adapter
from bridge.errors import Detail, InvalidRequest
from bridge.inbound import Request
from tests.api_adapters.conftest import request_of


def attaching(body: dict[str, Any]) -> Request:
    return request_of(method="POST", body=body)


@pytest.mark.parametrize("token", ["pm_card_visa", "x" * 200])
def test_read_token_returns_the_token(token: str) -> None:
    assert adapter.read_token(attaching({"token": token, "method": "payment-card"})) == token


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "is required"),
        ({"token": None}, "is required"),
        ({"token": ""}, "is required"),
        ({"token": 5}, "must be a string"),
        ({"token": " "}, "is invalid or already used"),
        ({"token": "a\nb"}, "is invalid or already used"),
        ({"token": "x" * 201}, "is invalid or already used"),
    ],
)
def test_read_token_refuses_an_invalid_token(body: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        adapter.read_token(attaching(body))
    assert refused.value.details == [Detail("token", message)]


def test_read_token_refuses_a_card_number_in_any_field() -> None:
    with pytest.raises(InvalidRequest) as refused:
        adapter.read_token(attaching({"token": "pm_1", "note": {"a": "4242-4242-4242-4242"}}))
    assert [detail.field for detail in refused.value.details] == ["note.a"]
    assert "4242" not in f"{refused.value} {refused.value.details}"
