"""What an adapter returns. Source: docs/providers.md, section A."""

from typing import get_args

import msgspec
import pytest

from bridge.models.provider import FINAL, ProviderMethod, ProviderPayment, Status


def test_final_states_are_succeeded_and_canceled() -> None:
    assert set(FINAL) == {"succeeded", "canceled"}
    assert set(FINAL) < set(get_args(Status))


def test_provider_payment_takes_no_status_for_one_that_we_do_not_know() -> None:
    known = {"provider_payment_id": "pi_1", "raw_status": "x", "total_cents": 1, "currency": "USD"}
    found = msgspec.convert(known | {"status": None}, ProviderPayment)
    assert (found.status, found.refunds, found.is_open) == (None, (), False)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(known | {"status": "x"}, ProviderPayment)


def test_repr_has_neither_client_secret_nor_token() -> None:
    found = ProviderPayment(
        provider_payment_id="pi_1",
        status="created",
        raw_status="x",
        total_cents=1,
        currency="USD",
        client_secret="pi_1_secret_x",
        saved=ProviderMethod(token="pm_secret", type="card"),
    )
    assert "secret" not in repr(found).replace("client_secret", "")
