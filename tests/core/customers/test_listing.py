"""Lists and searches of an organization's customers.

Source: docs/data-model.md, sections 4 and 5.
"""

from collections.abc import Callable

import pytest

from bridge import clock
from bridge.core.customers import listing, organization_customers
from bridge.errors import InvalidRequest, NotAuthenticated, RateLimited
from bridge.models.customer import Customer, CustomerFields
from bridge.models.page import Counted, CursorPage, OffsetPage
from bridge.store import dynamodb, keys
from tests.conftest import KEY, USER, run_context, together

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Later = Callable[[float], None]


def created(name: str) -> Customer:
    fields = CustomerFields(name=name)
    return organization_customers.create(KEY, fields, "required", run_context()).customer


def add_to_counter(count: int) -> None:
    month = f"{clock.now():%Y-%m}"
    key = keys.customer_counter("org_456", month, 0)
    dynamodb.transact({"counter": dynamodb.add(key, count)})


def test_search_is_rate_limited_and_then_refused_with_the_number_of_customers(
    later: Later,
) -> None:
    created("Nadia")
    page = OffsetPage(limit=5, search=" NAD ")
    assert listing.by_offset(KEY, page).total == 1
    add_to_counter(10_000)
    results = together(6, lambda _: listing.by_offset(KEY, page))  # within two seconds
    assert {type(each) for each in results} == {Counted, RateLimited}
    later(2)
    add_to_counter(40_000)
    with pytest.raises(InvalidRequest) as refused:
        listing.by_offset(KEY, page)
    assert refused.value.code == "search_unavailable"
    assert listing.by_offset(KEY, OffsetPage(limit=5, search="  ")).total == 50_001


def test_search_returns_a_page_of_matches_and_counts_all() -> None:
    rows = [created(f"Buyer {number}") for number in range(5)][::-1]
    created("Somebody")
    found = listing.by_offset(KEY, OffsetPage(limit=2, offset=1, search="buyer"))
    assert (found.records, found.total) == (rows[1:3], 5)
    found = listing.by_offset(KEY, OffsetPage(limit=2, search="buyer", newest_first=False))
    assert found.records == rows[::-1][:2]
    assert listing.by_offset(KEY, OffsetPage(limit=0)).total == 6


def test_by_cursor_returns_the_page_after_and_before_a_cursor() -> None:
    rows = [created(f"Buyer {number}") for number in range(4)][::-1]
    found = listing.by_cursor(KEY, CursorPage(limit=2))
    assert (found.records, found.has_next, found.has_previous) == (rows[:2], True, False)
    found = listing.by_cursor(KEY, CursorPage(limit=2, after=rows[1].uid))
    assert (found.records, found.has_next, found.has_previous) == (rows[2:], False, True)
    found = listing.by_cursor(KEY, CursorPage(limit=2, before=rows[1].uid))
    assert (found.records, found.has_next, found.has_previous) == (rows[:1], True, False)


def test_lists_of_a_caller_without_an_organizations_key_are_not_authenticated() -> None:
    with pytest.raises(NotAuthenticated):
        listing.by_offset(USER, OffsetPage(limit=5))
    with pytest.raises(NotAuthenticated):
        listing.by_cursor(USER, CursorPage(limit=5))
