"""The ledger's stream rings for new timeline entries: deliver them as events, in their order."""

from bridge.background import Invocation, streamed
from bridge.core import events


@streamed
def handler(invocation: Invocation) -> events.Delivered:
    return events.answer_ring(invocation.changed, invocation.call)
