"""The bodies of requests about addresses. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from bridge.api_adapters.native import address_bodies
from bridge.errors import InvalidRequest
from bridge.inbound import Request
from tests.api_adapters.conftest import request_of

HOME = {"line1": "1 Main Street", "city": "Springfield", "country": "us"}


def test_read_new_address_has_the_checked_fields() -> None:
    new = address_bodies.read_new_address(request_of(method="POST", body=HOME))
    assert (new.line1, new.country, new.type) == ("1 Main Street", "US", "billing")


def test_read_address_change_has_only_the_sent_fields() -> None:
    body = {"city": "Leith", "line2": None}
    change = address_bodies.read_address_change(request_of(method="PUT", body=body))
    assert (change.city, change.model_fields_set) == ("Leith", {"city"})


@pytest.mark.parametrize(
    "read", [address_bodies.read_new_address, address_bodies.read_address_change]
)
def test_address_bodies_have_no_card_number_in_any_field(
    read: Callable[[Request], object],
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(request_of(method="POST", body=HOME | {"line2": "4242 4242 4242 4242"}))
    assert [each.field for each in refused.value.details] == ["line2"]
