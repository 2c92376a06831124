"""Read payments: the row, by id, by the provider's id, in lists; refunds and timeline.

Writes are in payment_writes. All reads are strongly consistent. The row contains the version, so
a worker reads the row before it asks the provider (rule 5).

Source: docs/data-model.md, sections 2 and 3.
"""

from collections.abc import Iterable, Sequence

import msgspec

from bridge.models.idempotency import IdempotencyRecord
from bridge.models.model import present_values_of
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
    """The row as it is stored; with the shard of the index `due` if the payment is due."""
    item = present_values_of(payment)
    due = {"due_pk": keys.due_partition(payment.id)} if payment.due_at is not None else {}
    return item | due


def payment_from(item: Item | None, secret: Item | None = None, *, now: int = 0) -> Payment | None:
    """The payment of an item, with its client secret if that has not expired at `now` (B15)."""
    if item is None:
        return None
    client_secret = secret["secret"] if secret and secret["exp"] > now else None
    return msgspec.convert(item | {"client_secret": client_secret}, Payment)


def read(
    payment_id: str, client_key: str | None, now: int, prefetched: Prefetched = NOTHING_PREFETCHED
) -> tuple[Payment | None, IdempotencyRecord | None]:
    """A payment with its client secret, and the record of the client's key, in one batch.

    `now` is in seconds. What `prefetched` contains is not read again.
    """
    needed = [keys.payment(payment_id), keys.client_secret(payment_id)]
    if client_key:
        needed.append(idempotency_items.place(idempotency_items.of_payment(payment_id, client_key)))
    found = dynamodb.get_all(needed, prefetched)
    record = idempotency_items.record_from(found[needed[2]], now) if client_key else None
    return payment_from(found[needed[0]], found[needed[1]], now=now), record


def get(payment_id: str) -> Payment | None:
    """The row alone. For a status check this is where the version is read, before the provider."""
    return payment_from(dynamodb.get(keys.payment(payment_id)))


def read_for_event(
    payment_id: str, event: WebhookEventReference, now: int
) -> tuple[Payment | None, bool]:
    """The row alone, and whether the event was handled before, in one batch. `now`: seconds."""
    row, seen = keys.payment(payment_id), webhook_items.place(event)
    found = dynamodb.get_all([row, seen])
    return payment_from(found[row]), webhook_items.is_seen(found[seen], now)


def find_for_event(event: WebhookEventReference, now: int) -> tuple[str | None, bool]:
    """Our id of the payment with the event's provider id, and whether the event was handled.

    One batch. None: no payment of ours has this provider's id. `now` is in seconds.
    """
    seen = webhook_items.place(event)
    known = event.provider_payment_id
    pointers = [keys.provider_payment(event.provider_id, known)] if known else []
    found = dynamodb.get_all([seen, *pointers])
    pointer = found[pointers[0]] if pointers else None
    is_seen = webhook_items.is_seen(found[seen], now)
    return (str(pointer["payment_id"]) if pointer else None), is_seen


def find_at_provider(provider_id: ProviderId, provider_payment_id: str) -> str | None:
    """Our id of the payment with this provider's id, or None if it is not ours."""
    pointer = dynamodb.get(keys.provider_payment(provider_id, provider_payment_id))
    return str(pointer["payment_id"]) if pointer else None


def list_at_provider(
    provider_id: ProviderId, provider_payment_ids: Iterable[str]
) -> dict[str, Payment]:
    """Our payments by their provider's ids. Ids that belong to no payment of ours are left out."""
    places = {keys.provider_payment(provider_id, each): each for each in provider_payment_ids}
    found = dynamodb.get_all(places)
    ours = {place: str(item["payment_id"]) for place, item in found.items() if item}
    rows = {payment.id: payment for payment in list_by_id(list(ours.values()))}
    return {places[place]: rows[known] for place, known in ours.items() if known in rows}


def list_by_id(payment_ids: list[str]) -> list[Payment]:
    """Payments in the given order. One that no longer exists is left out."""
    found = dynamodb.get_all([keys.payment(each) for each in payment_ids])
    listed = [payment_from(found[keys.payment(each)]) for each in payment_ids]
    return [payment for payment in listed if payment]


def _listed(partitions: Sequence[str], page: Page, **equal: str | None) -> list[Payment]:
    only = pagination.Filter(equal | {"provider_id": page.provider_id})
    every = pagination.everything("P#")
    ids = pagination.list_ids(partitions, every, limit=page.limit, offset=page.offset, only=only)
    return list_by_id(ids) if ids else []


def list_of_user(user_id: str, page: Page) -> list[Payment]:
    """A page of a user's payments, newest first."""
    return _listed([keys.user(user_id)], page)


def list_of_organization(organization_id: str, page: Page) -> list[Payment]:
    """A page of an organization's payments, newest first, from all shards."""
    shards = organization_items.shards(organization_id)
    return _listed([keys.organization_payments(organization_id, each) for each in shards], page)


def list_of_customer(customer_id: str, user_id: str, page: Page) -> list[Payment]:
    """A page of a customer's payments, newest first.

    Only those of the page's organization, else those of the user: a customer may be shared between
    users, a payment is not.
    """
    if page.organization_id:
        owner = {"organization_id": page.organization_id}
    else:
        owner = {"user_id": user_id}
    return _listed([keys.customer_payments(customer_id)], page, **owner)


def walk_customer(customer_id: str, after: str | None, limit: int) -> tuple[list[Payment], str]:
    """A page of a customer's payments, oldest first, and where the next page begins ("": end)."""
    pointers, last = pagination.walk(keys.customer_payments(customer_id), "P#", after, limit)
    return list_by_id([str(each["id"]) for each in pointers]), last


def list_of_guest(email: str, page: Page) -> list[Payment]:
    """A page of the guest payments of an e-mail address, newest first."""
    return _listed([keys.guest(email)], page)


def id_at_provider(
    provider_payment_id: str, prefetched: Prefetched = NOTHING_PREFETCHED
) -> str | None:
    """Our id of the payment with this provider's id, at any provider."""
    read = dynamodb.get_all(keys.provider_payments(provider_payment_id), prefetched)
    found = [item for item in read.values() if item]
    return str(found[0]["payment_id"]) if found else None


def timeline(payment_id: str) -> list[Entry]:
    """Every timeline entry, oldest first."""
    items = dynamodb.query_all("ledger", keys.payment(payment_id).pk, "H#")
    return [msgspec.convert(item, Entry) for item in items]


def timeline_as_found(payment_id: str) -> list[Entry | None]:
    """Every timeline entry in the order of its key; None for one that cannot be read.

    For the check of the hash chain, which must also report a damaged entry.
    """
    items = dynamodb.query_all("ledger", keys.payment(payment_id).pk, "H#")
    found: list[Entry | None] = []
    for item in items:
        try:
            found.append(msgspec.convert(item, Entry))
        except msgspec.ValidationError:
            found.append(None)
    return found


def refunds(payment_id: str) -> list[Refund]:
    """Every refund, oldest first."""
    items = dynamodb.query_all("ledger", keys.payment(payment_id).pk, "R#")
    found = [msgspec.convert(item, Refund) for item in items]
    return sorted(found, key=lambda refund: (refund.created_at, refund.id))
