"""Providers' events that were seen, in the `ephemeral` table. Source: design/data-model.md 2."""

from contextlib import suppress
from typing import Any, Literal

from bridge.models.queue_message import MethodEventReference, WebhookEventReference
from bridge.store import dynamodb, keys
from bridge.store.dynamodb import Item
from bridge.store.keys import Key

LIFE_S = 30 * 24 * 3600


class EventSeen(Exception):
    """Another delivery of the event has been handled: this one is dropped."""


def place(event: WebhookEventReference | MethodEventReference) -> Key:
    return keys.webhook(event.provider_id, event.event_id)


def is_seen(item: Item | None, now: int) -> bool:
    """The table's own sweep is late by days."""
    return item is not None and item["exp"] > now


def was_seen(event: MethodEventReference, now: int) -> bool:
    return is_seen(dynamodb.get(place(event)), now)


def seen_action(
    event: WebhookEventReference | MethodEventReference,
    now: int,
    state: Literal["seen", "unmatched"] = "seen",
) -> dict[str, Any]:
    fresh = dynamodb.condition("attribute_not_exists(#pk) OR #exp <= :now", now=now)
    return dynamodb.put(place(event), {"state": state, "exp": now + LIFE_S}, fresh)


def put_unmatched(event: WebhookEventReference, now: int) -> None:
    """Remember an event that belongs to no payment of ours. Raises Congested."""
    with suppress(dynamodb.ConditionFailed):  # another delivery has said so already
        dynamodb.write(seen_action(event, now, "unmatched"))


def put_seen(event: MethodEventReference, now: int) -> None:
    """Remember an event whose work is done, and could be done again. Raises Congested."""
    with suppress(dynamodb.ConditionFailed):
        dynamodb.write(seen_action(event, now))
