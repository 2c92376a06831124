"""Windows of a provider's lists, and runs that stop inside of one.

Source: docs/payment-correctness.md, section 8.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.core.workers import provider_lists
from bridge.errors import UnknownOutcome
from bridge.models.provider_walk import EventPage, ProviderWalk
from bridge.store.jobs import provider_walk_items
from tests.conftest import run_context

pytestmark = pytest.mark.usefixtures("tables")
Later = Callable[[float], None]
HOUR = timedelta(hours=1)
DIES = UnknownOutcome("the provider does not answer")


@dataclass
class Lists:
    """A provider with as many pages in each window as are given. At the page `fails_at` it fails.

    `asked`: the windows that were listed. `handled`: the positions of the handled pages.
    """

    pages: int = 3
    fails_at: int | None = None
    asked: list[tuple[datetime, datetime, str | None]] = field(default_factory=list)
    handled: list[str] = field(default_factory=list)

    def list_pages(
        self, since: datetime, until: datetime, position: str | None, *, ends_at: datetime
    ) -> Iterator[EventPage]:
        assert ends_at > clock.now()
        self.asked.append((since, until, position))
        for number in range(int(position or 0) + 1, self.pages + 1):
            if number == self.fails_at:
                raise DIES
            yield EventPage(references=(), position=str(number))

    def handle(self, page: EventPage) -> None:
        self.handled.append(page.position)

    def read(self, seconds: float = 900) -> bool:
        run = run_context(seconds=seconds)
        return provider_lists.read("stripe", "events", self.list_pages, begin, self.handle, run)


def begin(finished: ProviderWalk) -> ProviderWalk:
    return replace(finished, since=finished.until - HOUR, until=clock.now())


def stored() -> ProviderWalk:
    found = provider_walk_items.get("stripe", "events")
    assert found
    return found


def test_first_window_begins_before_the_first_run() -> None:
    lists, before = Lists(), clock.now()
    assert lists.read()
    ((since, until, position),) = lists.asked
    assert before - HOUR <= since <= clock.now() - HOUR
    assert before <= until <= clock.now()
    assert (position, lists.handled) == (None, ["1", "2", "3"])


def test_finished_window_is_followed_by_the_present_one(later: Later) -> None:
    lists = Lists()
    assert lists.read()
    later(7200)
    assert lists.read()
    (_, until, _), (since, _, position) = lists.asked
    assert (since, position) == (until - HOUR, None)


def test_run_that_fails_is_continued_after_its_last_page() -> None:
    lists = Lists(fails_at=3)
    with pytest.raises(UnknownOutcome):
        lists.read()
    assert (stored().position, stored().is_finished) == ("2", False)
    lists.fails_at = None
    assert lists.read()
    first, rest, present = lists.asked
    assert rest == (*first[:2], "2")
    assert (present[0], present[2]) == (first[1] - HOUR, None)
    assert lists.handled == ["1", "2", "3", "1", "2", "3"]


def test_window_is_stored_before_its_first_page(later: Later) -> None:
    """A key that lacks a right for two days does not move the first window."""
    lists = Lists(fails_at=1)
    with pytest.raises(UnknownOutcome):
        lists.read()
    later(48 * 3600)
    lists.fails_at = None
    assert lists.read()
    failed, again, _ = lists.asked
    assert again == failed


def test_run_out_of_time_says_so_and_the_next_one_goes_on() -> None:
    lists, seconds = Lists(), 900.0

    def handle_slowly(page: EventPage) -> None:
        lists.handled.append(page.position)
        if page.position == "2":
            clock.set_offset(seconds)

    run = run_context(seconds=seconds)
    assert not provider_lists.read("stripe", "events", lists.list_pages, begin, handle_slowly, run)
    assert stored().position == "2"
    assert lists.read()
    assert lists.handled == ["1", "2", "3", "1", "2", "3"]


def test_run_without_time_lists_nothing() -> None:
    lists = Lists()
    assert not lists.read(seconds=14)
    assert lists.asked == []


def test_empty_window_is_finished_at_once() -> None:
    assert Lists(pages=0).read()
    assert stored().is_finished


def test_run_gives_way_to_another_run_over_the_same_lists() -> None:
    lists = Lists()

    def handle_while_another_run_reads(page: EventPage) -> None:
        provider_walk_items.save(replace(stored(), position="1"))

    run = run_context(seconds=900)
    assert not provider_lists.read(
        "stripe", "events", lists.list_pages, begin, handle_while_another_run_reads, run
    )
