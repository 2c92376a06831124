"""Addresses as the native API shows them. Source: docs/api/native.md, section 5."""

from bridge.api_adapters.native import address_wire
from bridge.inbound import Response
from bridge.models.address import Address, AddressResult
from tests.api_adapters.conftest import AT
from tests.response_fields import ADDRESS_FIELDS

ADDRESS = Address(
    id="addr_1",
    uid="1",
    customer_id="cust_1",
    type="billing",
    line1="1 Main Street",
    city="Springfield",
    country="US",
    created_at=AT,
    updated_at=AT,
)


def test_render_address_has_all_fields_with_null_for_unset() -> None:
    body = address_wire.render_address(ADDRESS)
    assert body.keys() == ADDRESS_FIELDS
    unset = {"name", "line2", "state", "postal_code"}
    assert {name for name, value in body.items() if value is None} == unset
    assert body["created_at"] == body["updated_at"] == "2026-01-15T10:30:00Z"


def test_b17_render_new_address_is_a_201_and_a_replay_has_its_header() -> None:
    body = address_wire.render_address(ADDRESS)
    new = address_wire.render_new_address(AddressResult(address=ADDRESS))
    assert new == Response(body, 201)
    again = address_wire.render_new_address(AddressResult(address=ADDRESS, replayed=True))
    assert again == Response(body, 201, {"Idempotent-Replayed": "true"})


def test_render_addresses_is_a_list_of_whole_addresses() -> None:
    listed = address_wire.render_addresses([ADDRESS, ADDRESS])
    assert listed == [address_wire.render_address(ADDRESS)] * 2
