"""Rate limits. Source: design/data-model.md 2."""

import pytest

from bridge import config
from bridge.store.access import rate_limit_items
from bridge.store.access.rate_limit_items import Limit
from local import database
from tests.conftest import together
from tests.store.conftest import NOW, Wire

pytestmark = pytest.mark.usefixtures("tables")
START = NOW - NOW % 60  # of a minute's window
LIMIT = Limit("rule", "192.0.2.1", 60, 3)


def test_a_window_takes_so_many_and_the_next_starts_anew() -> None:
    assert [rate_limit_items.take(LIMIT, START + n) for n in range(4)] == [True, True, True, False]
    assert not rate_limit_items.take(LIMIT, START + 59)
    assert rate_limit_items.take(LIMIT, START + 60)


@pytest.mark.parametrize("other", [{"rule": "another"}, {"subject": "192.0.2.2"}, {"window_s": 61}])
def test_rules_and_subjects_are_apart(other: dict[str, object]) -> None:
    for _ in range(3):
        assert rate_limit_items.take(LIMIT, START)
    assert rate_limit_items.take(LIMIT._replace(**other), START)  # type: ignore[arg-type]


def test_0_switches_a_limit_off_and_counts_nothing() -> None:
    for _ in range(5):
        assert rate_limit_items.take(LIMIT._replace(at_most=0), START)
    assert stored() == []


def stored() -> list[dict[str, dict[str, str]]]:
    return list(database.client().scan(TableName=config.table_name("ephemeral"))["Items"])


def test_the_count_ends_with_its_window_and_names_nobody() -> None:
    rate_limit_items.take(LIMIT, START + 5)
    rate_limit_items.take(LIMIT, START + 6)
    (item,) = stored()
    assert (item["n"], item["exp"]) == ({"N": "2"}, {"N": str(START + 60)})
    assert "192.0.2.1" not in str(item)


def test_no_more_than_allowed_get_through_together() -> None:
    results = together(8, lambda _: rate_limit_items.take(LIMIT, START))
    assert results.count(True) == 3


def test_too_many_at_once_is_too_many(wire: Wire) -> None:
    wire.answer("UpdateItem", 400, {"__type": "#ThrottlingException"}, times=None)
    assert not rate_limit_items.take(LIMIT, START)
