"""What an adapter returns. Source: docs/providers.md, section A."""

import hashlib
from typing import get_args

import msgspec
import pytest

from bridge.models.provider import (
    FINAL,
    ProviderMethod,
    ProviderPayment,
    Status,
    method_digest,
)

KNOWN = {"provider_payment_id": "pi_1", "raw_status": "x", "total_cents": 1, "currency": "USD"}


def test_final_states_are_succeeded_and_canceled() -> None:
    assert set(FINAL) == {"succeeded", "canceled"}
    assert set(FINAL) < set(get_args(Status))


def test_provider_payment_takes_no_status_for_one_that_we_do_not_know() -> None:
    found = msgspec.convert(KNOWN | {"status": None}, ProviderPayment)
    assert (found.status, found.is_open) == (None, False)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(KNOWN | {"status": "x"}, ProviderPayment)


def test_rule13_provider_payment_is_none_where_the_response_is_silent() -> None:
    """No refunds are `()` and 0 cents. None says only that the answer was silent."""
    found = msgspec.convert(KNOWN | {"status": "succeeded"}, ProviderPayment)
    assert (found.refunds, found.refunded_cents, found.refund) == (None, None, None)
    assert (found.dispute, found.is_disputed, found.declined) == (None, False, None)


def test_method_digest_is_the_sha256_of_the_token() -> None:
    assert method_digest("pm_1") == hashlib.sha256(b"pm_1").hexdigest()


def test_repr_has_neither_client_secret_nor_token() -> None:
    found = ProviderPayment(
        provider_payment_id="pi_1",
        status="created",
        raw_status="x",
        total_cents=1,
        currency="USD",
        statement_descriptor="secret words",
        client_secret="pi_1_secret_x",
        saved=ProviderMethod(token="pm_secret", type="card"),
    )
    assert "secret" not in repr(found).replace("client_secret", "")
