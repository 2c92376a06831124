"""The records for the measured requests, written through the store and not by requests."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import chain
from typing import Any

from msgspec.structs import replace

from benchmarks.events import DEEPEST, PAGE, PAYER, READER, customer_id, payment_id, suffix
from bridge import clock
from bridge.bodies.payment import NewPayment
from bridge.core.payments import create_payment
from bridge.models.caller import Caller, Session
from bridge.models.model import values_of
from bridge.models.payment import Payment
from bridge.models.run_context import RunContext
from bridge.store import dynamodb, keys
from bridge.store.access import session_items
from bridge.store.customers import customer_items
from bridge.store.payments import payment_items
from local.stripe.simulator import StripeSimulator

BATCH = 25


def wide(stripe: StripeSimulator, confirmable: int) -> None:
    """Store a reader with a page of payments, and a payer with payments to confirm."""
    read = first_payment(READER)
    _write(_rows(read, READER, range(PAGE)), _pointers(read, READER, range(PAGE)))
    paid = first_payment(PAYER)
    _write(_rows(paid, PAYER, range(confirmable)))
    for number in range(confirmable):
        stripe.seed_payment(
            f"pi_{suffix(PAYER, number)}",
            amount=paid.total_cents,
            currency="usd",
            customer=paid.provider_customer_id or "",
            metadata={"payment_id": payment_id(PAYER, number)},
            automatic_payment_methods={"enabled": True},
        )


def deep() -> None:
    """Store a reader with a list longer than the deepest offset.

    Only the pages that are read have payment rows; the rest of the list is pointers.
    """
    first, count = first_payment(READER), DEEPEST + PAGE
    rows_read = chain(range(PAGE), range(count - PAGE, count))
    _write(_rows(first, READER, rows_read), _pointers(first, READER, range(count)))


def first_payment(session_id: str) -> Payment:
    """Store a session, and create a payment of its user. The use case also creates a customer."""
    user_id, ends = session_id.replace("session", "user"), clock.now() + timedelta(days=1)
    session = Session(user_id=user_id, email=f"{user_id}@example.com", expires_at=ends)
    session_items.put(session_id, session)
    caller = Caller(**values_of(session, "expires_at"))
    new = NewPayment(total_cents=2000, currency="USD", description="Monthly premium plan")
    made = create_payment.create_payment_intent(
        caller, new, RunContext(cause="api", ends_at=ends)
    ).payment
    customer = customer_items.get(str(made.customer_id))
    assert customer
    known = {"id": customer_id(session_id), "uid": suffix(session_id, 0)}
    copy = replace(customer, **known)
    dynamodb.write(dynamodb.put(keys.customer(copy.id), customer_items.item_of(copy)))
    return made


def _rows(first: Payment, session_id: str, numbers: Iterable[int]) -> Iterable[dict[str, Any]]:
    """Yield the items of equal payments of one user, each with its client secret."""
    for number in numbers:
        known = {"id": payment_id(session_id, number), "uid": suffix(session_id, number)}
        copy = replace(first, **(known | {"provider_payment_id": f"pi_{known['uid']}"}))
        secret = {"secret": first.client_secret, "exp": clock.seconds() + 3600}
        yield dynamodb.put(keys.payment(copy.id), payment_items.item_of(copy))
        yield dynamodb.put(keys.client_secret(copy.id), secret)


def _pointers(first: Payment, session_id: str, numbers: Iterable[int]) -> Iterable[dict[str, Any]]:
    for number in numbers:
        pointer = keys.payment_pointer(keys.user(str(first.user_id)), suffix(session_id, number))
        item = {"id": payment_id(session_id, number), "provider_id": first.provider_id}
        yield dynamodb.put(pointer, item)


def _write(*puts: Iterable[dict[str, Any]]) -> None:
    waiting = list(chain(*puts))
    for start in range(0, len(waiting), BATCH):
        batch: dict[str, list[Any]] = {}
        for put in waiting[start : start + BATCH]:
            request = {"PutRequest": {"Item": put["Put"]["Item"]}}
            batch.setdefault(put["Put"]["TableName"], []).append(request)
        dynamodb.client().batch_write_item(RequestItems=batch)
