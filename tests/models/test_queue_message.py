"""The queue messages: ids only, never a state. Source: docs/payment-correctness.md, section 7."""

from typing import Any

import msgspec
import pytest

from bridge.models.queue_message import (
    MethodEventReference,
    StatusCheck,
    WebhookEventReference,
)

PAYMENT_EVENT = {"provider_id": "stripe", "event_id": "evt_1", "type": "charge.refunded"}
METHOD_EVENT = PAYMENT_EVENT | {"token": "pm_1"}


@pytest.mark.parametrize(
    ("model", "body"),
    [(WebhookEventReference, PAYMENT_EVENT), (MethodEventReference, METHOD_EVENT)],
)
@pytest.mark.parametrize("event_id", ["", "e" * 256])
def test_event_id_has_1_to_255_characters(model: Any, body: dict[str, str], event_id: str) -> None:
    assert msgspec.convert(body, model).event_id == "evt_1"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body | {"event_id": event_id}, model)


def test_webhook_event_reference_has_ids_and_no_state() -> None:
    names = set(WebhookEventReference.__struct_fields__)
    ids = {"payment_id", "provider_payment_id", "parent_id"}
    assert names == {"provider_id", "event_id", "type"} | ids


def test_repr_of_a_method_event_reference_has_no_token() -> None:
    assert "pm_1" not in repr(msgspec.convert(METHOD_EVENT, MethodEventReference))


def test_status_check_asks_about_one_attempt() -> None:
    assert msgspec.convert({"payment_id": "pay_1", "attempt": 2}, StatusCheck).attempt == 2
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"payment_id": "pay_1"}, StatusCheck)
