"""Pages of a list: newest first, by cursor. Source: Stripe API reference, "Pagination"."""

import operator
from collections.abc import Iterable
from typing import Protocol

from local.stripe.errors import invalid, no_such
from local.stripe.params import Params
from local.stripe.resources.json import Json

USUAL, LARGEST = 10, 100
COMPARE = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


class Listed(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def created(self) -> int: ...
    def render(self) -> Json: ...


def page(held: Iterable[Listed], params: Params, url: str, kind: str) -> Json:
    """`held` in the order of creation; `kind` names the resource in the error of a bad cursor."""
    limit = _limit(params)
    newest_first = [each for each in reversed(list(held)) if _in_range(each.created, params)]
    after, before = params.text("starting_after"), params.text("ending_before")
    if after is not None and before is not None:
        raise invalid("You may only specify one of starting_after, ending_before.", "ending_before")
    ids = [each.id for each in newest_first]
    for cursor, name in ((after, "starting_after"), (before, "ending_before")):
        if cursor is not None and cursor not in ids:
            raise no_such(kind, cursor, name)
    if before is not None:
        rest = newest_first[: ids.index(before)]
        shown, more = rest[-limit:], len(rest) > limit
    else:
        rest = newest_first[ids.index(after) + 1 :] if after is not None else newest_first
        shown, more = rest[:limit], len(rest) > limit
    return {
        "object": "list",
        "data": [each.render() for each in shown],
        "has_more": more,
        "url": url,
    }


def _limit(params: Params) -> int:
    limit = params.integer("limit")
    if limit is None:
        return USUAL
    if not 1 <= limit <= LARGEST:
        word = "less than or equal to 100" if limit > LARGEST else "greater than or equal to 1"
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
