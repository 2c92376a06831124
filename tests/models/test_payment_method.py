"""Saved payment methods. Source: docs/api/native.md, section 5."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bridge import clock
from bridge.models.model import json_of, values_of
from bridge.models.payment_method import PaymentMethod


def method(**more: Any) -> PaymentMethod:
    now = clock.now()
    known = {"id": "pm_1", "uid": "1", "customer_id": "cust_1", "provider_id": "stripe"}
    return msgspec.convert(known | {"created_at": now, "updated_at": now} | more, PaymentMethod)


@pytest.mark.parametrize(
    ("year", "month", "is_expired"),
    [(2025, 1, False), (2024, 12, True), (2026, 1, False), (None, None, False)],
)
def test_is_expired_after_the_end_of_the_month(
    year: int | None, month: int | None, is_expired: bool
) -> None:
    now = datetime(2025, 1, 31, 23, 59, tzinfo=UTC)
    assert method(exp_year=year, exp_month=month).is_expired(now) is is_expired


def test_a_token_is_neither_printed_nor_dumped() -> None:
    made = method(token="pm_secret", alias="my card", metadata={"note": "private"})
    assert "pm_secret" not in json_of(made)
    assert "token" not in values_of(made)
    for secret in ("pm_secret", "my card", "private"):
        assert secret not in repr(made)
