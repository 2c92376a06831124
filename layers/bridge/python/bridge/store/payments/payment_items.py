"""Payments: the row with its fence, its timeline, and the transactions T1 and T2.

Source: design/data-model.md 2, design/convergence.md 4.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic import ValidationError

from bridge import clock
from bridge.models.caller import Named
from bridge.models.event import Hint
from bridge.models.page import Page
from bridge.models.payment import Entry, Payment
from bridge.models.provider import ProviderId
from bridge.models.record import Record
from bridge.models.refund import Refund
from bridge.store import dynamodb, keys, pagination
from bridge.store.customers import organization_items
from bridge.store.dedupe import idempotency_items, webhook_items
from bridge.store.dynamodb import NOTHING, Actions, Ahead, Item
from bridge.store.keys import Key

CLIENT_SECRET_LIFE_S = 24 * 3600
FINAL = ("succeeded", "canceled")
PROVIDERS: tuple[ProviderId, ...] = get_args(ProviderId)


class Outrun(Exception):
    """Another writer moved the fence first: what we know is older than what is stored."""


class CustomerGone(Exception):
    """The customer was deleted before the payment was written."""


class CustomerTaken(Exception):
    """Another request made the caller's own customer, or its provider's, first: read it again."""


class SavedMeanwhile(Exception):
    """What is saved for the payment's customer changed since it was read."""


class ProviderIdTaken(Exception):
    """The provider's payment id belongs to another payment of ours."""


def item_of(payment: Payment) -> Item:
    item = payment.model_dump(exclude_none=True)
    due = {"due_pk": keys.due_partition(payment.id)} if payment.due_at is not None else {}
    return item | due


def payment_from(item: Item | None, secret: Item | None = None, *, now: int = 0) -> Payment | None:
    """The payment, with its client secret where one is stored and has not expired (B15)."""
    if item is None:
        return None
    shown = secret["secret"] if secret and secret["exp"] > now else None
    return Payment.model_validate(item | {"client_secret": shown})


def keys_ahead(named: Named) -> list[Key]:
    """What a request that names a payment of ours will need, to be read with its session."""
    if not named.payment_id:
        return []
    if not named.payment_id.startswith("pay_"):
        return _at_providers(named.payment_id)
    wanted = [keys.payment(named.payment_id), keys.client_secret(named.payment_id)]
    if named.client_key:
        wanted.append(
            idempotency_items.place(
                idempotency_items.of_payment(named.payment_id, named.client_key)
            )
        )
    return wanted


def read(
    payment_id: str, client_key: str | None, now: int, ahead: Ahead = NOTHING
) -> tuple[Payment | None, Record | None]:
    """A payment of ours and the record of the client's key, in one consistent batch."""
    wanted = [keys.payment(payment_id), keys.client_secret(payment_id)]
    if client_key:
        wanted.append(idempotency_items.place(idempotency_items.of_payment(payment_id, client_key)))
    found = dynamodb.get_all(wanted, ahead)
    record = idempotency_items.record_from(found[wanted[2]], now) if client_key else None
    return payment_from(found[wanted[0]], found[wanted[1]], now=now), record


def get(payment_id: str) -> Payment | None:
    """The row alone, as a look needs it: the fence is read here, before the provider is asked."""
    return payment_from(dynamodb.get(keys.payment(payment_id)))


def read_for_event(event: Hint, now: int) -> tuple[bool, Payment | None]:
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


def id_at_provider(provider_payment_id: str, ahead: Ahead = NOTHING) -> str | None:
    """Our id of the payment that a provider knows by this id."""
    read = dynamodb.get_all(_at_providers(provider_payment_id), ahead)
    found = [item for item in read.values() if item]
    return str(found[0]["payment_id"]) if found else None


def _at_providers(provider_payment_id: str) -> list[Key]:
    return [keys.provider_payment(each, provider_payment_id) for each in PROVIDERS]


def _pointers(payment: Payment) -> Actions:
    partitions = {
        "of_user": keys.user(payment.user_id) if payment.user_id else None,
        "of_guest": keys.guest(payment.guest.email) if payment.guest else None,
        "of_organization": keys.organization_payments(payment.organization_id, payment.shard)
        if payment.organization_id
        else None,
        "of_customer": keys.customer_payments(payment.customer_id) if payment.customer_id else None,
    }
    item = {"id": payment.id, "provider_id": payment.provider_id}
    owner = {"user_id": payment.user_id, "organization_id": payment.organization_id}
    items = {"of_customer": item | owner}  # whose payment it is, where the customer is shared
    return {
        name: dynamodb.put(keys.payment_pointer(partition, payment.uid), items.get(name, item))
        for name, partition in partitions.items()
        if partition
    }


def insert_locked(payment: Payment, record: Record | None, customer: Actions) -> Payment:
    """T1 of a creation: the row with its lock, its pointers, the record, and its customer's part.

    `customer` comes from customer_items: a check that it lives, or the writes that make it.
    Raises KeyTaken, CustomerGone, CustomerTaken, Congested.
    """
    fresh = dynamodb.condition("attribute_not_exists(#pk)")
    actions = {"payment": dynamodb.put(keys.payment(payment.id), item_of(payment), fresh)}
    actions |= _pointers(payment) | customer
    if record:
        actions["record"] = idempotency_items.open_action(
            record, payment.live.at if payment.live else 0
        )
    try:
        dynamodb.transact(actions)
    except dynamodb.Lost as lost:
        if "record" in lost.items:
            raise idempotency_items.taken(lost.items["record"]) from lost
        if "customer_lives" in lost.items:
            raise CustomerGone from lost
        if lost.items.keys() & {"automatic", "customer_linked"}:
            raise CustomerTaken from lost
        raise
    return payment


def _fenced(seen: Payment) -> dict[str, Any]:
    return dynamodb.condition("#fence = :seen", seen=seen.fence)


def _stepped(seen: Payment, after: Payment) -> Payment:
    """Every write moves the fence and signs itself (rules 5 and 6)."""
    return after.model_copy(update={"fence": seen.fence + 1, "writer": uuid.uuid4().hex})


def lock(seen: Payment, locked: Payment, record: Record | None) -> Payment:
    """T1: take the lock on a payment that is as we saw it, together with the client's key and the
    refund that is asked for, whose amount the locked row reserves.

    Raises KeyTaken, Outrun, Congested.
    """
    locked = _stepped(seen, locked)
    guard = dynamodb.condition(
        "#fence = :seen AND attribute_not_exists(#live) AND #status = :status",
        seen=seen.fence,
        status=seen.status,
    )
    row = keys.payment(seen.id)
    actions = {"payment": dynamodb.change(row, item_of(seen), item_of(locked), guard)}
    live = locked.held
    if live.refund:
        fresh = dynamodb.condition("attribute_not_exists(#pk)")
        place = keys.refund(seen.id, live.refund.id)
        actions["refund"] = dynamodb.put(place, live.refund.model_dump(), fresh)
    if record:
        actions["record"] = idempotency_items.open_action(record, live.at)
    try:
        dynamodb.transact(actions)
    except dynamodb.Lost as lost:
        if "record" in lost.items:
            raise idempotency_items.taken(lost.items["record"]) from lost
        raise Outrun(seen.id) from lost
    return locked


def merge(
    seen: Payment,
    merged: Payment,
    entry: Entry,
    record: Record | None,
    refunds: Iterable[Refund] = (),
    saved: Actions | None = None,
    *,
    event: Hint | None = None,
    link: bool = True,
) -> Payment:
    """T2: a change of facts, its timeline entry, and all that hangs on it, or nothing.

    `record` is the client's key of an attempt that ended: stored when it bears an answer, deleted
    when it bears none, so that the key is free again. `refunds`: those that change. `saved`: the
    writes of method_items that keep its method. `event`: what brought us here, seen with this.
    `link`: let the provider's id lead to this payment.
    Raises Outrun, EventSeen, ProviderIdTaken, SavedMeanwhile, Congested.
    """
    merged = _stepped(seen, merged)
    fresh = dynamodb.condition("attribute_not_exists(#pk)")
    row = dynamodb.change(keys.payment(seen.id), item_of(seen), item_of(merged), _fenced(seen))
    line = dynamodb.put(keys.entry(seen.id, entry.sequence), entry.model_dump(), fresh)
    actions = {"payment": row, "entry": line} | (saved or {})
    if record:
        actions["record"] = idempotency_items.close_action(record)
    for refund in refunds:
        place = keys.refund(seen.id, refund.id)
        actions[refund.id] = dynamodb.put(place, refund.model_dump())
    if event:
        actions["event"] = webhook_items.seen_action(event, clock.seconds())
    known = merged.provider_payment_id
    if link and known and known != seen.provider_payment_id:
        actions["provider_payment"] = dynamodb.put(
            keys.provider_payment(merged.provider_id, known),
            {"payment_id": merged.id},
            dynamodb.condition("attribute_not_exists(#pk) OR #payment_id = :id", id=merged.id),
        )
    if merged.status in FINAL:
        if seen.status not in FINAL:
            actions["secret"] = dynamodb.delete(keys.client_secret(merged.id))
    elif merged.client_secret and known != seen.provider_payment_id:
        expires = int(merged.created_at.timestamp()) + CLIENT_SECRET_LIFE_S
        actions["secret"] = dynamodb.put(
            keys.client_secret(merged.id), {"secret": merged.client_secret, "exp": expires}
        )
    try:
        dynamodb.transact(actions)
    except dynamodb.Lost as lost:
        if "event" in lost.items:
            raise webhook_items.EventSeen(seen.id) from lost
        if "payment" in lost.items:
            raise Outrun(seen.id) from lost
        if "provider_payment" in lost.items:
            raise ProviderIdTaken(seen.id) from lost
        if saved and lost.items.keys() & saved.keys():
            raise SavedMeanwhile(seen.id) from lost
        raise
    return merged


def advance(seen: Payment, after: Payment, *, event: Hint | None = None) -> Payment:
    """Write what is no fact (our own fields, when to look next) and move the fence.

    Raises Outrun, Congested; with an event also EventSeen.
    Source: convergence.md 4, "Nothing changed".
    """
    after = _stepped(seen, after)
    action = dynamodb.change(keys.payment(seen.id), item_of(seen), item_of(after), _fenced(seen))
    if event:
        _transact_seen(action, seen, event)
        return after
    try:
        dynamodb.write(action)
    except dynamodb.Lost as lost:
        if lost.items["it"].get("writer") != after.writer:
            raise Outrun(seen.id) from lost  # otherwise it is ours: the SDK had repeated it
    return after


def _transact_seen(action: dict[str, Any], seen: Payment, event: Hint) -> None:
    actions = {"payment": action, "event": webhook_items.seen_action(event, clock.seconds())}
    try:
        dynamodb.transact(actions)
    except dynamodb.Lost as lost:
        if "event" in lost.items:
            raise webhook_items.EventSeen(seen.id) from lost
        raise Outrun(seen.id) from lost


def hide(seen: Payment, hidden: Payment) -> int:
    """Write the row that is left, and delete its pointers; returns how many items were written.

    Timeline, refunds and the provider's id stay, so money is traced and webhooks still find it.
    Raises Outrun, Congested. Source: data-model.md 6, step 3.
    """
    hidden = _stepped(seen, hidden)
    row = dynamodb.change(keys.payment(seen.id), item_of(seen), item_of(hidden), _fenced(seen))
    actions = {"payment": row}
    for name, pointer in _pointers(seen).items():
        item = pointer["Put"]["Item"]
        actions[name] = dynamodb.delete(Key("ledger", item["pk"]["S"], item["sk"]["S"]))
    try:
        dynamodb.transact(actions)
    except dynamodb.Lost as lost:
        raise Outrun(seen.id) from lost
    return len(actions)


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
