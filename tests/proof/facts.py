"""The facts of a payment on both sides: our row, and the provider's objects.

What the provider's words and units mean is written here once more, not read from our code.
Source: docs/payment-correctness.md, section 2; docs/providers.md, section A.1.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from bridge.models.payment import Payment
from bridge.store.payments import payment_items
from local.stripe.cards import CARDS
from local.stripe.resources.charge import Charge
from local.stripe.resources.json import Json
from local.stripe.resources.payment_intent import PaymentIntent
from tests.proof.modes import payment_of

if TYPE_CHECKING:
    from tests.proof.play import Play

OUR_STATUSES = {
    "requires_payment_method": ("created", "failed"),
    "requires_confirmation": ("created", "failed"),
    "requires_action": ("requires_action",),
    "processing": ("processing",),
    "requires_capture": ("requires_capture",),
    "succeeded": ("succeeded",),
    "canceled": ("canceled",),
}
DISPUTE_STATES = {
    "warning_needs_response": "open",
    "needs_response": "open",
    "warning_closed": "won",
    "won": "won",
    "lost": "lost",
}
UNITS = {"ISK": 100}  # Stripe counts it in hundredths, ISO 4217 has none


def disagreements(row: Payment, play: "Play") -> Iterator[str]:
    """The differences between our row and the provider's object."""
    intent = play.stripe.world.intents.get(str(row.provider_payment_id))
    if intent is None:
        if row.provider_payment_id:
            yield f"{row.id} refers to an object that the provider does not have"
        return
    given = _given(row, play)
    unit = UNITS.get(row.currency, 1)
    dispute = _dispute(row, play)
    pairs: tuple[tuple[str, object, object], ...] = (
        ("total", row.total_cents * unit, intent.amount),
        ("captured", row.captured_cents * unit, intent.amount_received),
        ("refunded", row.refunded_cents * unit, given),
        ("currency", row.currency, intent.currency.upper()),
        ("charge", row.charge_id, intent.latest_charge),
        ("dispute", row.dispute and (row.dispute.id, row.dispute.state), dispute),
        ("failure", row.failure and row.failure.code, _failure(row, intent)),
    )
    if row.status not in OUR_STATUSES[intent.status]:
        yield f"{row.id} is {row.status}, at the provider {intent.status}"
    elif not row.active_attempt and row.displayed_status != _displayed(row, intent, given, dispute):
        yield f"{row.id} is shown as {row.displayed_status}"
    yield from (f"{row.id}: {name} {ours}, there {its}" for name, ours, its in pairs if ours != its)
    yield from _method(row, play)


def _displayed(
    row: Payment, intent: PaymentIntent, given: int, dispute: tuple[str, str] | None
) -> str:
    if intent.status != "succeeded":
        return row.status
    if dispute and dispute[1] != "won":
        return "disputed"
    if given >= intent.amount_received:
        return "refunded"
    return "partially_refunded" if given else "succeeded"


def _failure(row: Payment, intent: PaymentIntent) -> str | None:
    """The code of the last error. What was never sent failed at our side only."""
    if row.status != "failed":
        return None
    error = cast("dict[str, str]", intent.last_error or {})
    if not error or (row.failure and row.failure.code == "not_sent"):
        return row.failure.code if row.failure else None
    return error["code"]


def _method(row: Payment, play: "Play") -> Iterator[str]:
    """What paid by our confirm is the method that our row names."""
    for event in play.stripe.world.events.values():
        key = str(event.idempotency_key)
        if event.type != "charge.succeeded" or not key.startswith(row.uid):
            continue
        paid = cast("dict[str, Any]", event.object)["payment_method_details"]
        known = (row.payment_method_id or "").removeprefix("pm_card_")
        if known in CARDS and "card" in paid and paid["card"]["last4"] != CARDS[known].last4:
            yield f"{row.id}: paid with {paid['card']['last4']}, and here it is {known}"


def _given(row: Payment, play: "Play") -> int:
    return sum(int(str(each["amount"])) for each in _refunds(row, play) if _is_given(each))


def _refunds(row: Payment, play: "Play") -> list[Json]:
    return [e for e in play.stripe.refunds() if e["payment_intent"] == row.provider_payment_id]


def _is_given(refund: Json) -> bool:
    return refund["status"] not in ("failed", "canceled")


def our_refund_id(refund: Json) -> str:
    """Our id of a refund that we asked for, else ""."""
    return cast("dict[str, str]", refund["metadata"]).get("refund_id", "")


def _dispute(row: Payment, play: "Play") -> tuple[str, str] | None:
    """The id and the state of the newest dispute."""
    found = [
        each
        for each in play.stripe.world.disputes.values()
        if each.payment_intent == row.provider_payment_id
    ]
    return (found[-1].id, DISPUTE_STATES[found[-1].status]) if found else None


def refunds(row: Payment, play: "Play") -> Iterator[str]:
    """The refunds one by one: each is in one row of ours, with its amount, state and currency."""
    unit = UNITS.get(row.currency, 1)
    there = {
        str(each["id"]): (
            each["amount"],
            str(each["currency"]).upper(),
            each["status"] if _is_given(each) else "failed",
        )
        for each in _refunds(row, play)
    }
    ours = payment_items.refunds(row.id)
    here = {
        each.provider_refund_id: (each.amount_cents * unit, each.currency, each.status)
        for each in ours
        if each.provider_refund_id
    }
    if {name: it for name, it in there.items() if name in here or it[2] != "failed"} != here:
        yield f"{row.id}: refunds here {here}, there {there}"
    if any(not each.provider_refund_id and each.status != "failed" for each in ours):
        yield f"{row.id}: a refund that nobody made is {[each.status for each in ours]}"
    if len(ours) - sum(not each.provider_refund_id for each in ours) != len(here):
        yield f"{row.id}: a refund has two rows"
    if row.refunds_pending != sum(each.status == "pending" for each in ours):
        yield f"{row.id}: {row.refunds_pending} refunds count as pending"
    for each in _refunds(row, play):
        known = next((it for it in ours if it.provider_refund_id == each["id"]), None)
        if known and our_refund_id(each) not in ("", known.id):
            yield f"{row.id}: {our_refund_id(each)} is here {known.id}"


def events_of(play: "Play", row: Payment) -> int:
    """How many events of the payment the provider has made."""
    there = row.provider_payment_id
    return sum(payment_of(each) == there for each in play.stripe.world.events.values())


def is_known(play: "Play", row: Payment) -> bool:
    """Whether the provider knows more of a payment than that it is `processing`.

    That is: its object has moved on, or the active attempt had its effect there. An object that
    waits for the payer's 3-D Secure, as before the attempt, says nothing of the attempt.
    """
    intents = play.stripe.world.intents.values()
    intent = next((each for each in intents if each.metadata.get("payment_id") == row.id), None)
    if intent is None or intent.status == "processing":
        return False
    attempt = row.active_attempt
    if attempt is None or attempt.operation == "create":
        return True
    if intent.status in ("succeeded", "requires_capture", "canceled"):
        return True
    if intent.status == "requires_action" != attempt.from_status:
        return True
    return any(_is_of(each, intent) and each.created >= attempt.at for each in charges(play))


def charges(play: "Play") -> list[Charge]:
    """All charges, also those that were declined."""
    return list(play.stripe.world.charges.values())


def _is_of(charge: Charge, intent: PaymentIntent) -> bool:
    return charge.payment_intent == intent.id
