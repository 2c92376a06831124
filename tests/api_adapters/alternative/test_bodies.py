"""The bodies of Alternative Payments' requests. Source: docs/api/alternative.md, section 6."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge.api_adapters.alternative import bodies, wire
from bridge.errors import Detail, InvalidRequest
from bridge.inbound import Request
from tests.api_adapters.conftest import request_of

VISA = "4242 4242 4242 4242"


def sent(body: object) -> Request:
    return request_of(method="POST", body=body)


def refused(read: Callable[[], object]) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as error:
        read()
    return error.value


def test_read_new_customer_has_only_sent_fields_and_none_for_empty_ones() -> None:
    body = {"name": " Acme ", "email": "", "external_id": None, "unknown": 1}
    assert bodies.read_new_customer(sent(body)) == {"name": " Acme ", "email": None}
    assert bodies.read_new_customer(sent({})) == {}


@pytest.mark.parametrize("body", [b"", b"[]", {"name": 5}, {"name": 5, "email": "x" * 255}])
def test_read_new_customer_refuses_a_wrong_type_before_a_broken_limit(body: Any) -> None:
    error = refused(lambda: bodies.read_new_customer(sent(body)))
    assert error.code != wire.OVER_LIMIT
    assert [each.field for each in error.details] in ([], ["name"])


def test_read_new_customer_reports_every_broken_limit() -> None:
    body = {"name": "é" * 256, "email": "x" * 254, "external_id": "a\nb"}
    error = refused(lambda: bodies.read_new_customer(sent(body)))
    assert error.code == wire.OVER_LIMIT
    assert error.details == [
        Detail("name", "must be at most 255 characters"),
        Detail("external_id", "must not hold control characters"),
    ]


def test_a12_read_new_user_has_all_fields_and_none_for_empty_ones() -> None:
    body = {"email": "a@b.test", "first_name": "", "job_title": "CFO", "phone": "1"}
    user = bodies.read_new_user(sent(body))()
    assert user.model_dump() == {
        "email": "a@b.test",
        "first_name": None,
        "last_name": None,
        "job_title": "CFO",
        "phone": "1",
    }


def test_read_new_user_reports_types_at_once_and_limits_when_it_is_called() -> None:
    """An unknown customer is reported between the two."""
    assert refused(lambda: bodies.read_new_user(sent({"phone": 1}))).code != wire.OVER_LIMIT
    read = bodies.read_new_user(sent({"phone": "1" * 31, "last_name": "x" * 101}))
    error = refused(read)
    assert error.code == wire.OVER_LIMIT
    assert [each.field for each in error.details] == ["last_name", "phone"]


def test_card_number_in_a_card_field_has_the_code_of_a_broken_limit() -> None:
    for read in (
        lambda: bodies.read_new_customer(sent({"card": {"number": VISA}})),
        bodies.read_new_user(sent({"card": {"number": VISA}})),
    ):
        error = refused(read)
        assert error.code == wire.OVER_LIMIT
        assert [each.field for each in error.details] == ["card.number"]
