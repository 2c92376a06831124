"""Stripe's lists of a time window: its log of events, and the objects that were made.

Stripe lists the newest first. A position is the list and the second that the last page reached,
like `refunds:1768471808`. It is no object's id, so it is valid also when that object is gone.

Source: Stripe API reference, "Pagination" and "Events"; docs/providers.md, section A.1.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import stripe

from bridge.providers import stripe_calls as calls, stripe_events

PAGE = 100


class List(NamedTuple):
    """One list: its name in a position, the SDK's verb, and its parameters."""

    name: str
    verb: Callable[[stripe.StripeClient], Callable[..., Any]]
    params: dict[str, Any]


EVENTS = (
    List(
        "payment_events",
        lambda client: client.v1.events.list,
        {"types": stripe_events.PAYMENT_TYPES},
    ),
    List(
        "method_events",
        lambda client: client.v1.events.list,
        {"types": stripe_events.METHOD_TYPES},
    ),
)
CHANGES = (
    List(
        "payments",
        lambda client: client.v1.payment_intents.list,
        {"expand": ["data.latest_charge"]},
    ),
    List("refunds", lambda client: client.v1.refunds.list, {"expand": ["data.charge"]}),
    List("disputes", lambda client: client.v1.disputes.list, {}),
)


def pages(
    lists: Sequence[List],
    since: datetime,
    until: datetime,
    position: str | None,
    ends_at: datetime,
) -> Iterator[tuple[list[Any], str]]:
    """The pages of one list after the other, each with its position. Raises what `send` raises.

    After `position` what was made in its second comes again: Stripe does not say in which order it
    lists that. A position that we do not know begins at the beginning.
    """
    name, _, second = (position or "").partition(":")
    names = [each.name for each in lists]
    begun = names.index(name) if name in names else None
    for number, each in enumerate(lists[begun or 0 :], begun or 0):
        created = {"gte": int(since.timestamp())}
        created |= {"lte": int(second)} if number == begun else {"lt": int(until.timestamp())}
        query = each.params | {"created": created, "limit": PAGE}
        for page in calls.pages(each.verb, query, ends_at):
            yield page, f"{each.name}:{page[-1].created}"
