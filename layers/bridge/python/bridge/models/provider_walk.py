"""How far the lists of a provider are read, and the pages of those lists.

Source: docs/payment-correctness.md, section 8.
"""

from typing import Literal

from bridge.models.model import Model, Time
from bridge.models.provider import ProviderChange, ProviderId
from bridge.models.queue_message import MethodEventReference, WebhookEventReference

Kind = Literal["events", "changes"]


class ProviderWalk(Model, frozen=True, kw_only=True):
    """How far one kind of a provider's lists is read.

    It is read window by window, from `since` (included) to `until` (excluded). `position`: where
    the window goes on, in the adapter's own text; None at its beginning. `version`: how often the
    walk was written.
    """

    provider_id: ProviderId
    kind: Kind
    since: Time
    until: Time
    position: str | None = None
    is_finished: bool
    version: int = 0


class EventPage(Model, frozen=True, kw_only=True):
    """One page of a provider's event log, without the events that we do not act on.

    `unreadable`: events of a form that we do not know. `position`: where the list goes on.
    """

    references: tuple[WebhookEventReference | MethodEventReference, ...]
    unreadable: int = 0
    position: str


class ChangePage(Model, frozen=True, kw_only=True):
    """One page of a provider's payments, refunds or disputes. `position`: where they go on."""

    changes: tuple[ProviderChange, ...]
    position: str
