"""Lists by offset, compared with a list in Python. Source: docs/data-model.md, section 4."""

import pytest
from hypothesis import given, settings, strategies as st

from bridge.store import dynamodb, pagination
from bridge.store.keys import Key
from tests.store.conftest import Wire

PROVIDERS = ("stripe", "paypal")
COUNT = 23


@pytest.fixture
def pointers(tables: None) -> list[tuple[str, str]]:
    """Ids and providers of the pointers of one partition, newest first, among other items."""
    made = [(f"pay_{number}", PROVIDERS[number % 3 == 0]) for number in range(COUNT)]
    for number, (identifier, provider_id) in enumerate(made):
        put("U#u", f"P#{number:026d}", identifier, provider_id)
    put("U#u", "AUTO#stripe", "cust_1", "stripe")
    put("U#u", "C#0", "cust_1", "stripe")
    put("U#v", "P#0", "pay_other", "stripe")
    return made[::-1]


def put(pk: str, sk: str, identifier: str, provider_id: str) -> None:
    owner = "org_1" if identifier[-1] in "02468" else None
    item = {"id": identifier, "provider_id": provider_id, "organization_id": owner}
    dynamodb.write(dynamodb.put(Key("ledger", pk, sk), item))


def listed(limit: int, offset: int, only: pagination.Filter = pagination.ALL) -> list[str]:
    every = pagination.everything("P#")
    return pagination.list_ids(["U#u"], every, limit=limit, offset=offset, only=only)


def test_list_ids_with_any_limit_offset_and_filter_matches_the_list(
    pointers: list[tuple[str, str]],
) -> None:
    """The filter lets all, some or no pointers pass."""

    @settings(max_examples=120)
    @given(
        st.integers(1, 30),
        st.integers(0, 30),
        st.sampled_from([None, "stripe", "paypal", "authorize_net"]),
        st.sampled_from([None, "org_1"]),
    )
    def cut(limit: int, offset: int, provider_id: str | None, organization_id: str | None) -> None:
        expected = [
            identifier
            for identifier, provider in pointers
            if provider_id in (None, provider)
            and (organization_id is None or identifier[-1] in "02468")
        ][offset : offset + limit]
        only = pagination.Filter({"provider_id": provider_id, "organization_id": organization_id})
        assert listed(limit, offset, only) == expected

    cut()


def test_list_ids_counts_skipped_pointers_without_sending_them(
    pointers: list[tuple[str, str]], wire: Wire
) -> None:
    wire.watch("Query")
    listed(5, 10)
    skip, page = wire.requests
    assert (skip["Select"], skip["Limit"]) == ("COUNT", 10)
    assert page["Limit"] == 5
    assert all(each["ConsistentRead"] for each in wire.requests)


def test_list_ids_with_offset_past_the_end_reads_no_page(
    pointers: list[tuple[str, str]], wire: Wire
) -> None:
    wire.watch("Query")
    assert listed(5, 1000) == []
    assert [each.get("Select") for each in wire.requests] == ["COUNT"]


SHARDS = [f"O#o#P#{shard}" for shard in range(4)]


@pytest.mark.slow
def test_list_ids_over_shards_reads_only_its_share_of_each_shard(tables: None, wire: Wire) -> None:
    """A page of 20 reads 20 pointers of each shard; a large offset does not read all of each."""
    for number in range(400):
        put(SHARDS[number % 4], f"P#{number:026d}", f"pay_{number}", "stripe")
    newest = [f"pay_{number}" for number in reversed(range(400))]
    every = pagination.everything("P#")
    wire.watch("Query")
    assert pagination.list_ids(SHARDS, every, limit=20, offset=0) == newest[:20]
    assert [each["Limit"] for each in wire.requests] == [20] * 4
    assert pagination.list_ids(SHARDS, every, limit=20, offset=180) == newest[180:200]
    assert [each["Limit"] for each in wire.requests[4:]] == [150] * 4
    assert pagination.list_ids(SHARDS, every, limit=20, offset=10**15) == []
    assert max(each["Limit"] for each in wire.requests) < 2**31
    assert {each["ProjectionExpression"] for each in wire.requests} == {"#sk, #id"}


def test_list_ids_over_uneven_shards_returns_one_list(
    tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shard that has more than its share is read further."""
    monkeypatch.setattr(pagination, "UNEVEN", 1)
    for number in range(60):
        put(SHARDS[number % 7 % 2], f"P#{number:026d}", f"pay_{number}", "stripe")
    newest = [f"pay_{number}" for number in reversed(range(60))]
    for limit, offset in ((5, 0), (20, 30), (60, 0), (7, 55)):
        found = pagination.list_ids(SHARDS, pagination.everything("P#"), limit=limit, offset=offset)
        assert found == newest[offset : offset + limit]


def test_list_ids_joins_pages_that_end_at_one_megabyte(tables: None) -> None:
    """DynamoDB ends a page at 1 MB, whatever the limit; that also happens while skipping."""
    for number in range(40):
        item = {"id": f"pay_{number}", "provider_id": "stripe", "text": "x" * 60_000}
        dynamodb.write(dynamodb.put(Key("ledger", "U#u", f"P#{number:026d}"), item))
    newest = [f"pay_{number}" for number in reversed(range(40))]
    assert listed(40, 0) == newest
    assert listed(5, 30) == newest[30:35]
    assert listed(5, 30, pagination.Filter({"provider_id": "stripe"})) == newest[30:35]
