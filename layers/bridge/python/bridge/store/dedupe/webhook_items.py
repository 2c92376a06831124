"""Providers' events that were handled, in the table `ephemeral`, for 30 days.

Source: docs/payment-correctness.md, section 7; docs/data-model.md, section 2.
"""

from contextlib import suppress
from typing import Any, Literal

from bridge.models.queue_message import MethodEventReference, WebhookEventReference
from bridge.store import dynamodb, keys
from bridge.store.dynamodb import Item
from bridge.store.keys import Key

LIFE_S = 30 * 24 * 3600


class EventSeen(Exception):
    """Another delivery of this event was handled, so this one is dropped."""


def place(event: WebhookEventReference | MethodEventReference) -> Key:
    """Where it is stored that the event was handled."""
    return keys.webhook(event.provider_id, event.event_id)


def is_seen(item: Item | None, now: int) -> bool:
    """Whether the item says so and has not expired. TTL deletes items days too late."""
    return item is not None and item["exp"] > now


def was_seen(event: MethodEventReference, now: int) -> bool:
    """Whether the event was handled before. `now` is in seconds."""
    return is_seen(dynamodb.get(place(event)), now)


def seen_action(
    event: WebhookEventReference | MethodEventReference,
    now: int,
    state: Literal["seen", "unmatched"] = "seen",
) -> dict[str, Any]:
    """The action that marks an event as handled, if it is not marked yet."""
    fresh = dynamodb.condition("attribute_not_exists(#pk) OR #exp <= :now", now=now)
    return dynamodb.put(place(event), {"state": state, "exp": now + LIFE_S}, fresh)


def put_unmatched(event: WebhookEventReference, now: int) -> None:
    """Remember an event that belongs to no payment of ours. Raises Throttled."""
    with suppress(dynamodb.ConditionFailed):  # another delivery was faster
        dynamodb.write(seen_action(event, now, "unmatched"))


def put_seen(event: MethodEventReference, now: int) -> None:
    """Remember an event whose work is done. The work may be repeated. Raises Throttled."""
    with suppress(dynamodb.ConditionFailed):
        dynamodb.write(seen_action(event, now))
