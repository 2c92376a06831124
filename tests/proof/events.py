"""The events that went out of a payment: each change once, and in order.

Source: docs/api/native.md, section 4; docs/data-model.md, section 7.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from bridge.core.workers import event_delivery
from bridge.models.outbox import Cursor, Event
from bridge.models.payment import Payment
from bridge.store.payments import outbox_items, payment_items
from local import bus

if TYPE_CHECKING:
    from tests.proof.play import Play

ORDER = ("pending", "succeeded", "failed")  # a refund that succeeded may fail later
AFTER_SUCCESS = ("succeeded", "disputed", "partially_refunded", "refunded")


def check(row: Payment) -> Iterator[str]:
    """The events of a payment at rest."""
    sent = _sent(row)
    yield from (f"{row.id}: {each}" for each in _statuses(row, sent))
    yield from (f"{row.id}: {each}" for each in _refunds(row, sent))
    yield from (f"{row.id}: {each}" for each in _disputes(row, sent))


def _sent(row: Payment) -> list[Event]:
    entries = outbox_items.list_after(Cursor(payment_id=row.id))
    return [event for entry in entries for event in entry.events]


def _statuses(row: Payment, sent: list[Event]) -> Iterator[str]:
    """The displayed status, when it changed. A payment succeeds once."""
    names = [each.name.removeprefix("payment.") for each in sent if "payment." in each.name]
    for before, after in pairwise(names):
        if before == after:
            yield f"payment.{after} went out twice in a row"
    if names.count("succeeded") > 1:
        yield f"payment.succeeded went out {names.count('succeeded')} times"
    last = names[-1] if names else ""
    is_again = row.displayed_status == "succeeded" and last in AFTER_SUCCESS
    if last != row.displayed_status and not is_again:
        yield f"the last event is {last}, it is {row.displayed_status}"


def _refunds(row: Payment, sent: list[Event]) -> Iterator[str]:
    announced: dict[str, list[str]] = defaultdict(list)
    for each in sent:
        if each.name.startswith("refund."):
            announced[str(each.about["refund_id"])].append(each.name.removeprefix("refund."))
    stored = {each.id: each for each in payment_items.refunds(row.id)}
    for refund_id in {*announced, *stored}:
        names, refund = announced[refund_id], stored.get(refund_id)
        if names != sorted(set(names), key=ORDER.index):
            yield f"of the refund {refund_id} went out {names}"
        if refund is None or names[-1:] != [refund.status]:
            yield f"of the refund {refund} went out {names}"


def _disputes(row: Payment, sent: list[Event]) -> Iterator[str]:
    announced: dict[str, list[str]] = defaultdict(list)
    for each in sent:
        if each.name.startswith("dispute."):
            announced[str(each.about["dispute_id"])].append(each.name.removeprefix("dispute."))
    if row.dispute and row.dispute.id not in announced:
        yield "of its dispute nothing went out"
    for dispute_id, names in announced.items():
        is_last = row.dispute and row.dispute.id == dispute_id
        state = row.dispute.state if row.dispute and is_last else "open"
        closed = [name for name in names if name in ("won", "lost")]
        if len(closed) > 1 or "opened" in names[1:]:
            yield f"of the dispute {dispute_id} went out {names}"
        if state != "open" and names[-1] != state:
            yield f"of the dispute {dispute_id}, which is {state}, went out {names}"


def deliver(play: "Play", row: Payment) -> Iterator[str]:
    """Send the events to the bus, by workers that die, and once more for an operator.

    For the first time each event comes once and in order; only those that a dead worker sent may
    come again.
    """
    bus.start()
    together = partial(event_delivery.deliver, [row.id])
    play.work("sweep", together, "delivered")
    play.work("sweep", together)
    yield from _arrived(row)
    bus.start()
    play.work("sweep", lambda run: event_delivery.replay(row.id, 1, run), "rewound")
    play.work("sweep", together)
    yield from _arrived(row)


def _arrived(row: Payment) -> Iterator[str]:
    details = [(each["detail"], each["detail-type"]) for each in bus.events()]
    arrived = [(it["seq"], name) for it, name in details if it["payment_id"] == row.id]
    ours = [(each.sequence, each.name) for each in _sent(row)]
    if list(dict.fromkeys(arrived)) != ours:
        yield f"{row.id}: the bus got {arrived}, and the events are {ours}"
