"""Pages of a list: newest first, by cursor. Source: Stripe API reference, "Pagination"."""

import operator
from collections.abc import Iterable
from typing import Protocol, TypeVar

from local.stripe.errors import invalid, no_such
from local.stripe.params import Params
from local.stripe.request import StripeRequest
from local.stripe.resources.json import Json

DEFAULT_LIMIT, MAX_LIMIT = 10, 100
COMPARE = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


class Listed(Protocol):
    """A resource that a list can contain."""

    @property
    def id(self) -> str: ...
    @property
    def created(self) -> int: ...
    def render(self) -> Json: ...


class OfPayment(Listed, Protocol):
    """A resource of one payment: a refund or a dispute."""

    @property
    def charge(self) -> str: ...
    @property
    def payment_intent(self) -> str: ...


One = TypeVar("One", bound=OfPayment)
OF_PAYMENT = frozenset(
    {
        "charge",
        "created",
        "ending_before",
        "expand",
        "limit",
        "payment_intent",
        "starting_after",
    }
)
"""The parameters of the lists of refunds and disputes."""


def of_payment(resources: Iterable[One], request: StripeRequest) -> list[One]:
    """Return those of the payment intent or charge in the request, else all.

    Raises StripeError for an unknown id.
    """
    intent, charge = request.params.text("payment_intent"), request.params.text("charge")
    if intent is not None and intent not in request.world.intents:
        raise no_such("payment_intent", intent, "payment_intent")
    if charge is not None and charge not in request.world.charges:
        raise no_such("charge", charge, "charge")
    return [
        each
        for each in resources
        if intent in (None, each.payment_intent) and charge in (None, each.charge)
    ]


def page(resources: Iterable[Listed], params: Params, url: str, kind: str) -> Json:
    """Return one page, newest first. Raises StripeError for a bad limit or cursor.

    `resources`: oldest first. `kind`: the resource's name in the error of a bad cursor.
    """
    limit = _limit(params)
    newest_first = [each for each in reversed(list(resources)) if _in_range(each.created, params)]
    after, before = params.text("starting_after"), params.text("ending_before")
    if after is not None and before is not None:
        raise invalid("You may only specify one of starting_after, ending_before.", "ending_before")
    ids = [each.id for each in newest_first]
    for cursor, name in ((after, "starting_after"), (before, "ending_before")):
        if cursor is not None and cursor not in ids:
            raise no_such(kind, cursor, name)
    if before is not None:
        rest = newest_first[: ids.index(before)]
        chosen, more = rest[-limit:], len(rest) > limit
    else:
        rest = newest_first[ids.index(after) + 1 :] if after is not None else newest_first
        chosen, more = rest[:limit], len(rest) > limit
    return {
        "object": "list",
        "data": [each.render() for each in chosen],
        "has_more": more,
        "url": url,
    }


def _limit(params: Params) -> int:
    limit = params.integer("limit")
    if limit is None:
        return DEFAULT_LIMIT
    if not 1 <= limit <= MAX_LIMIT:
        word = "less than or equal to 100" if limit > MAX_LIMIT else "greater than or equal to 1"
        raise invalid(f"This value must be {word}.", "limit", "parameter_invalid_integer")
    return limit


def _in_range(created: int, params: Params) -> bool:
    exact = params.integer("created")
    if exact is not None:
        return created == exact
    bounds = Params(params.table("created"))
    return all(
        COMPARE[name](created, bounds.integer(name) or 0) for name in COMPARE if bounds.has(name)
    )
