"""The ledger's stream rings for new timeline entries: deliver them as events, in their order."""

from bridge.core import events
from bridge.inbound import Invocation, streamed


@streamed
def handler(invocation: Invocation) -> events.Delivered:
    return events.answer_ring(invocation.changed, invocation.call)
