"""The stream of `ledger` triggers this for new timeline entries: deliver them as events."""

from bridge.background import Invocation, streamed
from bridge.core.workers import event_delivery


@streamed
def handler(invocation: Invocation) -> event_delivery.Delivered:
    return event_delivery.handle_trigger(invocation.changed, invocation.run)
