"""Stripe's events: the signature, and the ids that are read.

Source: docs/providers.md, section D.1.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from bridge import ssm
from bridge.errors import InvalidRequest, TemporarilyUnavailable
from bridge.models.queue_message import MethodEventReference, WebhookEventReference
from bridge.providers import stripe_events
from tests.stripe_events import event, sign

pytestmark = pytest.mark.usefixtures("tables")
INTENT = {"id": "pi_1", "object": "payment_intent", "metadata": {"payment_id": "pay_1"}}
CHARGE = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "metadata": {}}
REFUND = {"id": "re_1", "object": "refund", "payment_intent": None, "charge": "ch_1"}
METHOD = {"id": "pm_1", "object": "payment_method"}


def read(body: object, header: str | None = None) -> Any:
    text = json.dumps(body)
    headers = {"stripe-signature": sign(text) if header is None else header}
    return stripe_events.read_signed(headers, text.encode())


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(InvalidRequest) as refused:
        act()
    return refused.value.code


def test_read_signed_returns_the_reference_of_a_signed_event() -> None:
    body = event("payment_intent.succeeded", INTENT)
    assert read(body) == stripe_events.read(body)


@pytest.mark.parametrize("header", ["", "t=1,v1=00", "v1=é", "not a header"])
def test_read_signed_refuses_a_wrong_signature(header: str) -> None:
    body = event("payment_intent.succeeded", INTENT)
    assert code_of(lambda: read(body, header)) == "signature_invalid"


def test_read_signed_refuses_a_signature_older_than_300_seconds() -> None:
    body = event("payment_intent.succeeded", INTENT)
    now = int(time.time())
    assert read(body, sign(json.dumps(body), at=now - 290))
    assert code_of(lambda: read(body, sign(json.dumps(body), at=now - 310))) == "signature_invalid"


def test_read_signed_refuses_a_body_that_is_not_json() -> None:
    headers = {"stripe-signature": sign("{")}
    assert code_of(lambda: stripe_events.read_signed(headers, b"{")) == "invalid_json"


def test_read_signed_raises_unavailable_if_the_secret_cannot_be_read(
    setting: Callable[[str, str], None],
) -> None:
    body = event("payment_intent.succeeded", INTENT)
    header = sign(json.dumps(body))
    ssm.forget_secrets()
    setting("SECRETS_PREFIX", "/nowhere")
    with pytest.raises(TemporarilyUnavailable):
        read(body, header)


def test_event_of_an_intent_has_both_ids_and_no_parent() -> None:
    body = event("payment_intent.succeeded", INTENT, id="evt_1")
    assert stripe_events.read(body) == WebhookEventReference(
        provider_id="stripe",
        event_id="evt_1",
        type="payment_intent.succeeded",
        payment_id="pay_1",
        provider_payment_id="pi_1",
    )


@pytest.mark.parametrize(
    ("kind", "about", "intent", "parent"),
    [
        ("charge.refunded", CHARGE, "pi_1", "pi_1"),
        ("charge.refunded", CHARGE | {"payment_intent": None}, None, "ch_1"),
        ("refund.updated", REFUND, None, "ch_1"),
        ("charge.dispute.created", REFUND | {"payment_intent": "pi_1"}, "pi_1", "pi_1"),
        ("refund.created", REFUND | {"charge": None}, None, None),
    ],
)
def test_event_of_a_charge_refund_or_dispute_has_its_intent_else_its_charge(
    kind: str, about: dict[str, Any], intent: str | None, parent: str | None
) -> None:
    reference = stripe_events.read(event(kind, about))
    assert isinstance(reference, WebhookEventReference)
    assert (reference.payment_id, reference.provider_payment_id) == (None, intent)
    assert reference.parent_id == parent


@pytest.mark.parametrize("kind", sorted(stripe_events.METHODS))
def test_event_of_a_payment_method_has_its_token(kind: str) -> None:
    assert stripe_events.read(event(kind, METHOD, id="evt_1")) == MethodEventReference(
        provider_id="stripe", event_id="evt_1", type=kind, token="pm_1"
    )


@pytest.mark.parametrize("kind", ["customer.updated", "payment_intent.unknown", "charge.updated"])
def test_event_of_another_type_is_none(kind: str) -> None:
    assert stripe_events.read(event(kind, INTENT)) is None


@pytest.mark.parametrize("reference", [7, {"a": 1}, None])
def test_payment_id_in_the_metadata_that_is_no_text_is_ignored(reference: object) -> None:
    about = INTENT | {"metadata": {"payment_id": reference}}
    found = stripe_events.read(event("payment_intent.succeeded", about))
    assert isinstance(found, WebhookEventReference)
    assert (found.payment_id, found.provider_payment_id) == (None, "pi_1")


def test_event_of_the_other_mode_is_refused() -> None:
    body = event("payment_intent.succeeded", INTENT, livemode=True)
    assert code_of(lambda: stripe_events.read(body)) == "mode_mismatch"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"id": "evt_1"},
        event("payment_intent.succeeded", {}),
        event("payment_intent.succeeded", INTENT, id="e" * 256),
        event("payment_intent.succeeded", INTENT, data={"object": None}),
    ],
)
def test_body_that_is_no_event_is_refused(body: object) -> None:
    assert code_of(lambda: stripe_events.read(body)) == "event_malformed"


class Listed:
    """An event of Stripe's list."""

    def __init__(self, envelope: dict[str, Any]) -> None:
        self._envelope = envelope

    def to_dict(self) -> dict[str, Any]:
        return self._envelope


def test_listed_events_have_the_references_of_their_webhooks() -> None:
    about = {"id": "pi_1", "metadata": {"payment_id": "pay_1"}}
    events = [
        event("payment_intent.succeeded", about),
        event("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1"}),
        event("payment_method.updated", {"id": "pm_1"}),
    ]
    page = stripe_events.read_page(map(Listed, events), "here")
    assert page.references == tuple(stripe_events.read(each) for each in events)
    assert (page.unreadable, page.position) == (0, "here")


def test_listed_events_of_the_other_mode_or_another_type_are_left_out() -> None:
    about = {"id": "pi_1"}
    other = [
        event("payment_intent.succeeded", about, livemode=True),
        event("invoice.paid", {"id": "in_1"}),
    ]
    page = stripe_events.read_page(map(Listed, other), "here")
    assert (page.references, page.unreadable) == ((), 0)


def test_listed_event_of_an_unknown_form_does_not_stop_the_others() -> None:
    good = event("payment_intent.succeeded", {"id": "pi_1"})
    page = stripe_events.read_page(map(Listed, [{"id": 7}, good]), "here")
    assert ([each.event_id for each in page.references], page.unreadable) == ([good["id"]], 1)


def test_types_for_the_list_are_all_types_that_we_act_on() -> None:
    listed = stripe_events.PAYMENT_TYPES + stripe_events.METHOD_TYPES
    acted_on = stripe_events.INTENTS | stripe_events.CHARGES | stripe_events.OF_CHARGES
    assert sorted(listed) == sorted(acted_on | stripe_events.METHODS)
