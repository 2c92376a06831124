"""Providers' events that were handled, in the table `ephemeral`, for 30 days.

Source: docs/payment-correctness.md, section 7; docs/data-model.md, section 2.
"""

from collections.abc import Iterable
from typing import Any, Literal

from bridge.models.queue_message import MethodEventReference, WebhookEventReference
from bridge.store import dynamodb, keys
from bridge.store.dynamodb import Item
from bridge.store.keys import Key

LIFE_S = 30 * 24 * 3600


def place(event: WebhookEventReference | MethodEventReference) -> Key:
    """Where it is stored that the event was handled."""
    return keys.webhook(event.provider_id, event.event_id)


def is_seen(item: Item | None, now: int) -> bool:
    """Whether the item says so and has not expired. TTL deletes items days too late."""
    return item is not None and item["exp"] > now


def was_seen(event: MethodEventReference, now: int) -> bool:
    """Whether the event was handled before. `now` is in seconds."""
    return is_seen(dynamodb.get(place(event)), now)


def list_unseen(
    events: Iterable[WebhookEventReference | MethodEventReference], now: int
) -> list[WebhookEventReference | MethodEventReference]:
    """Those of the events that were not handled yet, in their order. `now` is in seconds.

    Strongly consistent, in batches of 100.
    """
    places = {place(event): event for event in events}
    found = dynamodb.get_all(places)
    return [event for key, event in places.items() if not is_seen(found[key], now)]


def seen_action(
    event: WebhookEventReference | MethodEventReference,
    now: int,
    state: Literal["seen", "unmatched"] = "seen",
) -> dict[str, Any]:
    """The action that remembers an event. To remember it twice does no harm."""
    return dynamodb.put(place(event), {"state": state, "exp": now + LIFE_S})


def put_unmatched(event: WebhookEventReference, now: int) -> None:
    """Remember an event that belongs to no payment of ours. Raises Throttled."""
    dynamodb.write(seen_action(event, now, "unmatched"))


def put_seen(event: WebhookEventReference | MethodEventReference, now: int) -> None:
    """Remember an event that was counted, or whose work is done. Raises Throttled."""
    dynamodb.write(seen_action(event, now))
