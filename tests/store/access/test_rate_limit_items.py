"""Rate limits. Source: docs/data-model.md, section 2."""

import pytest

from bridge import config
from bridge.store.access import rate_limit_items
from bridge.store.access.rate_limit_items import Limit
from local import database
from tests.conftest import together
from tests.store.conftest import NOW, Wire

pytestmark = pytest.mark.usefixtures("tables")
START = NOW - NOW % 60  # of a window of a minute
LIMIT = Limit("rule", "192.0.2.1", 60, 3)


def test_take_allows_the_limit_and_starts_again_in_the_next_window() -> None:
    assert [rate_limit_items.take(LIMIT, START + n) for n in range(4)] == [True, True, True, False]
    assert not rate_limit_items.take(LIMIT, START + 59)
    assert rate_limit_items.take(LIMIT, START + 60)


@pytest.mark.parametrize("other", [{"rule": "another"}, {"subject": "192.0.2.2"}, {"window_s": 61}])
def test_take_counts_rules_subjects_and_windows_separately(other: dict[str, object]) -> None:
    for _ in range(3):
        assert rate_limit_items.take(LIMIT, START)
    assert rate_limit_items.take(LIMIT._replace(**other), START)  # type: ignore[arg-type]


def test_limit_of_0_is_off_and_counts_nothing() -> None:
    for _ in range(5):
        assert rate_limit_items.take(LIMIT._replace(at_most=0), START)
    assert stored() == []


def stored() -> list[dict[str, dict[str, str]]]:
    return list(database.client().scan(TableName=config.table_name("ephemeral"))["Items"])


def test_counter_expires_with_its_window_and_contains_no_subject() -> None:
    rate_limit_items.take(LIMIT, START + 5)
    rate_limit_items.take(LIMIT, START + 6)
    (item,) = stored()
    assert (item["n"], item["exp"]) == ({"N": "2"}, {"N": str(START + 60)})
    assert "192.0.2.1" not in str(item)


def test_concurrent_uses_do_not_exceed_the_limit() -> None:
    results = together(8, lambda _: rate_limit_items.take(LIMIT, START))
    assert results.count(True) == 3


@pytest.mark.slow
def test_throttled_counter_refuses_the_use(wire: Wire) -> None:
    wire.answer("UpdateItem", 400, {"__type": "#ThrottlingException"}, times=None)
    assert not rate_limit_items.take(LIMIT, START)
