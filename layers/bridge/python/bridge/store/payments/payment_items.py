"""Payments: the row with its fence, its timeline, and the transactions T1 and T2.

Source: design/data-model.md 2, design/convergence.md 4.
"""

from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from bridge.models.idempotency import IdempotencyRecord
from bridge.models.page import Page
from bridge.models.payment import Entry, Payment
from bridge.models.provider import ProviderId
from bridge.models.queue_message import WebhookEventReference
from bridge.models.refund import Refund
from bridge.store import dynamodb, keys, pagination
from bridge.store.customers import organization_items
from bridge.store.dedupe import idempotency_items, webhook_items
from bridge.store.dynamodb import NOTHING_PREFETCHED, Item, Prefetched


def item_of(payment: Payment) -> Item:
    item = payment.model_dump(exclude_none=True)
    due = {"due_pk": keys.due_partition(payment.id)} if payment.due_at is not None else {}
    return item | due


def payment_from(item: Item | None, secret: Item | None = None, *, now: int = 0) -> Payment | None:
    """The payment, with its client secret where one is stored and has not expired (B15)."""
    if item is None:
        return None
    client_secret = secret["secret"] if secret and secret["exp"] > now else None
    return Payment.model_validate(item | {"client_secret": client_secret})


def read(
    payment_id: str, client_key: str | None, now: int, prefetched: Prefetched = NOTHING_PREFETCHED
) -> tuple[Payment | None, IdempotencyRecord | None]:
    """A payment of ours and the record of the client's key, in one consistent batch."""
    needed = [keys.payment(payment_id), keys.client_secret(payment_id)]
    if client_key:
        needed.append(idempotency_items.place(idempotency_items.of_payment(payment_id, client_key)))
    found = dynamodb.get_all(needed, prefetched)
    record = idempotency_items.record_from(found[needed[2]], now) if client_key else None
    return payment_from(found[needed[0]], found[needed[1]], now=now), record


def get(payment_id: str) -> Payment | None:
    """The row alone, as a look needs it: the fence is read here, before the provider is asked."""
    return payment_from(dynamodb.get(keys.payment(payment_id)))


def read_for_event(event: WebhookEventReference, now: int) -> tuple[bool, Payment | None]:
    """Whether the event has been handled, and its payment, in one consistent batch where our own
    reference leads to it."""
    seen = webhook_items.place(event)
    named = [keys.payment(event.payment_id)] if event.payment_id else []
    found = dynamodb.get_all([seen, *named])
    if webhook_items.is_seen(found[seen], now):
        return True, None
    payment = payment_from(found[named[0]]) if named else None
    return False, payment or get_at_provider(event.provider_id, event.provider_payment_id)


def get_at_provider(provider_id: ProviderId, provider_payment_id: str | None) -> Payment | None:
    """The row of the payment that a provider knows by this id."""
    if provider_payment_id is None:
        return None
    pointer = dynamodb.get(keys.provider_payment(provider_id, provider_payment_id))
    return get(str(pointer["payment_id"])) if pointer else None


def list_at_provider(
    provider_id: ProviderId, provider_payment_ids: Iterable[str]
) -> dict[str, Payment]:
    """Our payments by the ids that their provider knows them by; what is not ours is left out."""
    places = {keys.provider_payment(provider_id, each): each for each in provider_payment_ids}
    found = dynamodb.get_all(places)
    ours = {place: str(item["payment_id"]) for place, item in found.items() if item}
    rows = {payment.id: payment for payment in list_by_id(list(ours.values()))}
    return {places[place]: rows[known] for place, known in ours.items() if known in rows}


def list_by_id(payment_ids: list[str]) -> list[Payment]:
    """Payments in the order asked for; one that is gone is left out."""
    found = dynamodb.get_all([keys.payment(each) for each in payment_ids])
    listed = [payment_from(found[keys.payment(each)]) for each in payment_ids]
    return [payment for payment in listed if payment]


def _listed(partitions: Sequence[str], page: Page, **equal: str | None) -> list[Payment]:
    only = pagination.Filter(equal | {"provider_id": page.provider_id})
    every = pagination.everything("P#")
    ids = pagination.list_ids(partitions, every, limit=page.limit, offset=page.offset, only=only)
    return list_by_id(ids) if ids else []


def list_of_user(user_id: str, page: Page) -> list[Payment]:
    """Newest first, as all lists are."""
    return _listed([keys.user(user_id)], page)


def list_of_organization(organization_id: str, page: Page) -> list[Payment]:
    shards = organization_items.shards(organization_id)
    return _listed([keys.organization_payments(organization_id, each) for each in shards], page)


def list_of_customer(customer_id: str, user_id: str, page: Page) -> list[Payment]:
    """The page's organization's, else the user's own: a customer may be shared, a payment not."""
    if page.organization_id:
        owner = {"organization_id": page.organization_id}
    else:
        owner = {"user_id": user_id}
    return _listed([keys.customer_payments(customer_id)], page, **owner)


def walk_customer(customer_id: str, after: str | None, limit: int) -> tuple[list[Payment], str]:
    """A page of a customer's payments, oldest first, and where the next begins: "" at the end."""
    pointers, last = pagination.walk(keys.customer_payments(customer_id), "P#", after, limit)
    return list_by_id([str(each["id"]) for each in pointers]), last


def list_of_guest(email: str, page: Page) -> list[Payment]:
    return _listed([keys.guest(email)], page)


def id_at_provider(
    provider_payment_id: str, prefetched: Prefetched = NOTHING_PREFETCHED
) -> str | None:
    """Our id of the payment that a provider knows by this id."""
    read = dynamodb.get_all(keys.provider_payments(provider_payment_id), prefetched)
    found = [item for item in read.values() if item]
    return str(found[0]["payment_id"]) if found else None


def timeline(payment_id: str) -> list[Entry]:
    """Every entry, oldest first."""
    items = dynamodb.query_all("ledger", keys.payment(payment_id).pk, "H#")
    return [Entry.model_validate(item) for item in items]


def timeline_as_found(payment_id: str) -> list[Entry | None]:
    """Every entry in the order of its key, whatever has happened to it; None: it cannot be read."""
    items = dynamodb.query_all("ledger", keys.payment(payment_id).pk, "H#")
    found: list[Entry | None] = []
    for item in items:
        try:
            found.append(Entry.model_validate(item))
        except ValidationError:
            found.append(None)
    return found


def refunds(payment_id: str) -> list[Refund]:
    """Every refund, oldest first."""
    items = dynamodb.query_all("ledger", keys.payment(payment_id).pk, "R#")
    found = [Refund.model_validate(item) for item in items]
    return sorted(found, key=lambda refund: (refund.created_at, refund.id))
