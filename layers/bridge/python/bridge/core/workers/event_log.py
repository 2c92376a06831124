"""The providers' own logs of events: finds events whose webhook never came.

Source: docs/payment-correctness.md, section 8.
"""

from collections import Counter
from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from bridge import clock, queues
from bridge.core.rules import telemetry
from bridge.core.workers import provider_lists
from bridge.models.model import Model
from bridge.models.provider import ProviderId
from bridge.models.provider_walk import EventPage, ProviderWalk
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.providers.contract import Provider
from bridge.store.dedupe import webhook_items

ON_THE_WAY = timedelta(minutes=2)  # younger events may still come as webhooks
OVERLAP = timedelta(hours=1)  # of two windows, should the provider log an event late


class EventLogRead(Model, frozen=True, kw_only=True):
    """What a run did.

    `listed`: events in the providers' logs, of the types that we act on. `queued`: those that were
    not handled yet; the queue worker handles them now. `is_whole`: the run had time for all of
    them.
    """

    listed: int
    queued: int
    is_whole: bool


def read(run: RunContext) -> EventLogRead:
    """Queue every event of the providers' logs that was not handled yet, as its webhook would.

    Raises NotExecuted or UnknownOutcome if a provider cannot be asked or refuses us: a log that we
    may not read is not an empty one. Raises TemporarilyUnavailable if an event cannot be queued.
    """
    counts: Counter[str] = Counter()
    is_whole = all(_read_log(provider_id, counts, run) for provider_id in registry.OPEN)
    if not is_whole:
        telemetry.log.error("reading the event log ran out of time", listed=counts["listed"])
    return EventLogRead(listed=counts["listed"], queued=counts["queued"], is_whole=is_whole)


def _read_log(provider_id: ProviderId, counts: Counter[str], run: RunContext) -> bool:
    provider = registry.open_provider(provider_id)
    begin, handle = partial(_begin, provider), partial(_queue_unseen, counts)
    return provider_lists.read(provider_id, "events", provider.list_events, begin, handle, run)


def _begin(provider: Provider, finished: ProviderWalk) -> ProviderWalk:
    """The present window. The first one of all begins an hour before the first run."""
    now, since = clock.now(), finished.until - OVERLAP
    if now - since > timedelta(seconds=provider.events_kept_s):
        telemetry.log.error(
            "the event log was not read for too long", provider=finished.provider_id, since=since
        )
        telemetry.measure("event_log_gap")
    return replace(finished, since=since, until=now - ON_THE_WAY)


def _queue_unseen(counts: Counter[str], page: EventPage) -> None:
    if page.unreadable:
        telemetry.log.error("events of an unknown form", number=page.unreadable)
    unseen = webhook_items.list_unseen(page.references, clock.seconds())
    for reference in unseen:
        telemetry.log.warning(
            "its webhook did not come",
            provider=reference.provider_id,
            event_id=reference.event_id,
            event_type=reference.type,
        )
        queues.send_event_reference(reference)
    if unseen:
        telemetry.measure("events_missed", len(unseen))
    counts["listed"] += len(page.references)
    counts["queued"] += len(unseen)
