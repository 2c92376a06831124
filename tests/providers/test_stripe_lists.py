"""Stripe's lists of a time window, and where they go on. Source: docs/providers.md, section A.1."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from bridge import clock
from bridge.errors import ProviderRejectedUs, UnknownOutcome
from bridge.providers import stripe_lists
from local.stripe.log import Exchange
from local.stripe.simulator import StripeSimulator
from tests.providers.conftest import confirm, opened, soon

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Later = Callable[[float], None]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_lists, "PAGE", 2)


def pages(
    position: str | None = None,
    *,
    until: datetime | None = None,
    lists: tuple[stripe_lists.List, ...] = stripe_lists.CHANGES,
) -> Iterator[tuple[list[Any], str]]:
    now = clock.now()
    return stripe_lists.pages(lists, now - HOUR, until or now + HOUR, position, soon())


def ids(found: Iterator[tuple[list[Any], str]]) -> list[str]:
    return [str(each.id) for page, _ in found for each in page]


@pytest.fixture
def made(later: Later, stripe_simulator: StripeSimulator) -> list[str]:
    """The payments and then the refunds that are listed: three of each, 10 seconds apart."""
    intents = []
    for _ in range(3):
        row = opened()
        confirm(row)
        intents.append(str(row.provider_payment_id))
        later(10)
    for intent in intents:
        stripe_simulator.dashboard("refund", intent)
        later(10)
    refunds = list(stripe_simulator.world.refunds)
    stripe_simulator.log.clear()
    return intents[::-1] + refunds[::-1]


def listed(simulator: StripeSimulator) -> list[Exchange]:
    return [each for each in simulator.requests if each.operation.startswith("list_")]


def test_lists_are_read_one_after_the_other_newest_first(made: list[str]) -> None:
    assert ids(pages()) == made


def test_each_list_is_asked_for_the_window_only(
    made: list[str], stripe_simulator: StripeSimulator
) -> None:
    newest = stripe_simulator.world.intents[made[0]].created
    until = datetime.fromtimestamp(newest, UTC)
    assert ids(pages(until=until)) == made[1:3]


@pytest.mark.parametrize("after", range(1, 5))
def test_reading_goes_on_after_any_page(made: list[str], after: int) -> None:
    """What was made in the last second of a page comes again; nothing is left out."""
    read = list(islice(pages(), after))
    first = [each.id for page, _ in read for each in page]
    rest = ids(pages(read[-1][1]))
    assert rest[0] == first[-1]
    assert first + rest[1:] == made


def test_lists_before_the_position_are_not_asked_again(
    made: list[str], stripe_simulator: StripeSimulator
) -> None:
    (*_, (_, position)) = islice(pages(), 3)
    stripe_simulator.log.clear()
    list(pages(position))
    assert {each.operation for each in listed(stripe_simulator)} == {
        "list_refunds",
        "list_disputes",
    }


def test_position_stays_valid_when_its_object_is_gone(
    made: list[str], stripe_simulator: StripeSimulator
) -> None:
    """Stripe forgets events after 30 days, and refuses `starting_after` with one of them."""
    ((_, position),) = islice(pages(), 1)
    del stripe_simulator.world.intents[made[1]]
    assert ids(pages(position)) == made[2:]


def test_position_of_an_unknown_list_begins_at_the_beginning(made: list[str]) -> None:
    assert ids(pages("of_another_release:5")) == made


def test_objects_of_one_second_are_all_listed(stripe_simulator: StripeSimulator) -> None:
    for number in range(5):
        stripe_simulator.seed_payment(f"pi_{number}", amount=700, currency="eur")
    ((_, position),) = islice(pages(), 1)
    assert sorted(ids(pages(position))) == [f"pi_{number}" for number in range(5)]


def test_no_list_is_asked_for_more_than_20_types_at_once() -> None:
    for each in stripe_lists.EVENTS:
        assert len(each.params["types"]) <= 20


@pytest.mark.parametrize(
    ("fault", "error"), [("403", ProviderRejectedUs), ("500_before", UnknownOutcome)]
)
def test_list_that_we_may_not_or_cannot_read_is_not_taken_for_empty(
    fault: str, error: type[Exception], stripe_simulator: StripeSimulator
) -> None:
    stripe_simulator.fault("list_events", fault, times=2)
    with pytest.raises(error):
        list(pages(lists=stripe_lists.EVENTS))
