"""Read a provider's lists window by window, so that each run goes on where the last one stopped.

Source: docs/payment-correctness.md, section 8.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from msgspec.structs import replace

from bridge import clock
from bridge.core.rules import scheduling, telemetry
from bridge.models.provider import ProviderId
from bridge.models.provider_walk import ChangePage, EventPage, Kind, ProviderWalk
from bridge.models.run_context import RunContext
from bridge.store import dynamodb
from bridge.store.jobs import provider_walk_items

SPARE_S = 15  # with less time left, no page is begun

Page = TypeVar("Page", EventPage, ChangePage)


def read(
    provider_id: ProviderId,
    kind: Kind,
    list_pages: Callable[..., Iterator[Page]],
    begin: Callable[[ProviderWalk], ProviderWalk],
    handle: Callable[[Page], None],
    run: RunContext,
) -> bool:
    """Handle the rest of the window that an earlier run left, then the present window.

    `list_pages`: the provider's verb. `begin` makes the present window out of the finished one;
    before the first run of all, that one ends now. A window is stored when it begins and after
    each page, so a run that dies repeats one page at most.

    Returns False if the time was over before the end of the present window, or another run reads
    the same lists: that one goes on. Raises what the provider raises.
    """

    def read_rest(walk: ProviderWalk) -> ProviderWalk:
        for page in list_pages(walk.since, walk.until, walk.position, ends_at=run.ends_at):
            handle(page)
            walk = provider_walk_items.save(replace(walk, position=page.position))
            if not scheduling.has_time(run, SPARE_S):
                return walk
        return provider_walk_items.save(replace(walk, is_finished=True))

    walk = provider_walk_items.get(provider_id, kind) or _before_the_first(provider_id, kind)
    try:
        if not walk.is_finished:
            walk = read_rest(walk)
        if not (walk.is_finished and scheduling.has_time(run, SPARE_S)):
            return False
        present = replace(begin(walk), position=None, is_finished=False)
        return read_rest(provider_walk_items.save(present)).is_finished
    except dynamodb.VersionConflict:
        telemetry.log.info("another run reads these lists", provider=provider_id, kind=kind)
        return False


def _before_the_first(provider_id: ProviderId, kind: Kind) -> ProviderWalk:
    now = clock.now()
    return ProviderWalk(provider_id=provider_id, kind=kind, since=now, until=now, is_finished=True)
