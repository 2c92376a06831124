"""Stored addresses. Source: docs/api/native.md, section 5."""

from typing import Any

import msgspec
import pytest

from bridge import clock
from bridge.models.address import Address


def stored(**more: Any) -> dict[str, Any]:
    now = clock.now()
    known = {"id": "addr_1", "uid": "1", "customer_id": "cust_1", "type": "billing"}
    home = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}
    return known | home | {"created_at": now, "updated_at": now} | more


def test_an_address_is_printed_without_personal_data() -> None:
    address = msgspec.convert(stored(name="Jane", line2="2nd floor"), Address)
    for personal in ("Jane", "Main", "2nd", "Springfield"):
        assert personal not in repr(address)


@pytest.mark.parametrize("change", [{"type": "home"}, {"line1": None}, {"is_default": 1}])
def test_an_address_with_a_wrong_value_is_not_read(change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(stored(**change), Address)
