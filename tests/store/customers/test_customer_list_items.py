"""An organization's customers by offset, cursor and search, compared with a Python list.

Source: docs/data-model.md, sections 4 and 5; docs/api/alternative.md, section 5 for the cursors.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from bridge import clock
from bridge.models.customer import Customer
from bridge.models.identifier import new_id, suffix
from bridge.models.page import CursorPage, OffsetPage
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items, customer_list_items, organization_items
from tests.store.conftest import NOW, Wire, customer

pytestmark = pytest.mark.usefixtures("tables")
ORGANIZATION = "org_1"
BEGIN = datetime(2026, 1, 20, 12, tzinfo=UTC)
NAMES = ("Nadia Okoro", "Harbor Dental", "HARBOR bakery", "Éva Lind", None)


@pytest.fixture(params=[1, 4])
def shards(request: pytest.FixtureRequest) -> int:
    count: int = request.param
    item = {"read_shards": count, "write_shards": count}
    dynamodb.write(dynamodb.put(keys.organization_settings(ORGANIZATION), item))
    return count


def inserted(at: datetime, **more: object) -> Customer:
    made = new_id("cust", at)
    shard = organization_items.shard_of(ORGANIZATION, suffix(made))
    known = {"id": made, "organization_id": ORGANIZATION, "shard": shard, "created_at": at}
    row = customer(**(known | more))
    customer_items.insert(row, None)
    return row


@pytest.fixture
def made(shards: int) -> list[Customer]:
    """Newest first, over three months; two in the same second, some deleted."""
    times = [BEGIN + timedelta(days=3 * number, seconds=number) for number in range(24)]
    rows = [
        inserted(at, name=NAMES[number % 5], email=f"buyer{number}@shop.test")
        for number, at in enumerate([*times, times[-1]])
    ]
    for row in rows[::7]:
        deleted = replace(row, state="deleted", deleted_at=clock.now())
        customer_items.delete(row, deleted, f"job_{row.uid}", NOW)
    inserted(BEGIN, organization_id="org_2", shard=0)
    active = [row for row in rows if row not in rows[::7]]
    return sorted(active, key=lambda row: row.uid, reverse=True)


@pytest.mark.slow
def test_list_by_offset_equals_the_slice_of_the_list(
    made: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without whole months that are skipped."""
    months = customer_list_items.count_by_month(ORGANIZATION)
    assert months.total() == len(made)
    assert len(months) > 2

    @settings(max_examples=60)
    @given(st.integers(1, 30), st.integers(0, 40), st.booleans(), st.sampled_from([0, 1000]))
    def cut(limit: int, offset: int, newest_first: bool, jump_from: int) -> None:
        monkeypatch.setattr(customer_list_items, "JUMP_FROM", jump_from)
        page = OffsetPage(limit=limit, offset=offset, newest_first=newest_first)
        rows = (made if newest_first else made[::-1])[offset : offset + limit]
        assert customer_list_items.list_by_offset(ORGANIZATION, page, months) == rows

    cut()


def test_list_by_offset_does_not_read_skipped_months(
    made: list[Customer], monkeypatch: pytest.MonkeyPatch, shards: int, wire: Wire
) -> None:
    monkeypatch.setattr(customer_list_items, "JUMP_FROM", 0)
    months = customer_list_items.count_by_month(ORGANIZATION)
    newest = max(months)
    wire.watch("Query")
    page = OffsetPage(limit=2, offset=months[newest])
    found = customer_list_items.list_by_offset(ORGANIZATION, page, months)
    assert [f"{row.created_at:%Y-%m}" < newest for row in found] == [True, True]
    highs = {each["ExpressionAttributeValues"][":high"]["S"] for each in wire.requests}
    assert highs == {
        f"C#{suffix(new_id('x', datetime.fromisoformat(newest + '-01T00:00:00Z')))[:10]}" + "0" * 16
    }
    assert len(wire.requests) == shards


def expected(made: list[Customer], page: CursorPage) -> list[Customer]:
    """The page by docs/api/alternative.md, section 5, computed in Python."""
    rows = matching(made, page)
    if page.before:
        return [row for row in rows if row.uid > page.before][-page.limit :]
    return [row for row in rows if not page.after or row.uid < page.after][: page.limit]


def matching(made: list[Customer], page: CursorPage) -> list[Customer]:
    text = customer_items.fold(page.name or "")
    return [
        row
        for row in made
        if text in customer_items.fold(row.name or "")
        and (not page.name or row.name)
        and (not page.created_from or row.created_at.replace(microsecond=0) >= page.created_from)
        and (not page.created_until or row.created_at.replace(microsecond=0) <= page.created_until)
    ]


@pytest.mark.slow
def test_list_by_cursor_equals_the_slice_of_the_list_and_knows_if_there_is_more(
    made: list[Customer],
) -> None:
    moments = [None, *(row.created_at for row in made[::5])]
    positions = [row.uid for row in made] + [suffix(new_id("x", BEGIN + timedelta(days=33)))]

    @settings(max_examples=80)
    @given(
        st.integers(1, 30),
        st.sampled_from(["", "after", "before"]),
        st.sampled_from(positions),
        st.sampled_from(moments),
        st.sampled_from(moments),
        st.sampled_from([None, "harbor", "É", "lind", "nobody"]),
    )
    def cut(
        limit: int,
        way: str,
        position: str,
        begin: datetime | None,
        end: datetime | None,
        name: str | None,
    ) -> None:
        where = {way: position} if way else {}
        page = CursorPage(limit=limit, created_from=begin, created_until=end, name=name, **where)
        records, rows = expected(made, page), matching(made, page)
        found = customer_list_items.list_by_cursor(ORGANIZATION, page)
        assert found.records == records
        if records:
            older = any(row.uid < records[-1].uid for row in rows)
            newer = any(row.uid > records[0].uid for row in rows)
        else:
            older = way == "before" and any(row.uid <= position for row in rows)
            newer = way == "after" and any(row.uid >= position for row in rows)
        assert (found.has_next, found.has_previous) == (older, newer)

    cut()


@pytest.mark.slow
@pytest.mark.parametrize("limit", [3, 100])
def test_pages_in_either_direction_contain_each_customer_once(
    limit: int, made: list[Customer]
) -> None:
    """While other customers are created."""

    def walk(way: str, start: str | None) -> Iterator[Customer]:
        position = start
        while True:
            place = {way: position} if position else {}
            page = msgspec.convert({"limit": limit} | place, CursorPage)
            found = customer_list_items.list_by_cursor(ORGANIZATION, page)
            yield from found.records if way == "after" else found.records[::-1]
            inserted(BEGIN + timedelta(days=40), name="new on the way")
            if not (found.has_next if way == "after" else found.has_previous):
                return
            position = found.records[-1 if way == "after" else 0].uid

    forth = [row for row in walk("after", None) if row in made]
    assert forth == made
    back = [
        row for row in walk("before", suffix(new_id("x", BEGIN - timedelta(days=1)))) if row in made
    ]
    assert back == made[::-1]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("harbor", {"Harbor Dental", "HARBOR bakery"}),
        ("a okor", {"Nadia Okoro"}),
        ("éva", {"Éva Lind"}),
        ("eva", set()),
        ("shop.test", {*NAMES}),
        ("okoro buyer", set()),
    ],
)
@pytest.mark.parametrize("consistent", [True, False])
def test_search_returns_customers_that_contain_the_text(
    text: str, names: set[str | None], consistent: bool, made: list[Customer]
) -> None:
    page = OffsetPage(limit=5)
    found = customer_list_items.search(ORGANIZATION, text, page, consistent=consistent)
    assert list(found) == [row.id for row in made if row.name in names]


def test_search_finds_first_and_last_name_together() -> None:
    row = inserted(BEGIN, name="Ada L.", first_name="Ada", last_name="Lovelace")
    page = OffsetPage(limit=5)
    for text in ("ada lovelace", "ada l.", "lovelace"):
        assert list(customer_list_items.search(ORGANIZATION, text, page, consistent=True)) == [
            row.id
        ]
    assert not list(customer_list_items.search(ORGANIZATION, "l. ada", page, consistent=True))
