"""Every hour: queue the events of the providers' own logs whose webhook did not come."""

from bridge.background import Invocation, scheduled
from bridge.core.workers import event_log


@scheduled
def handler(invocation: Invocation) -> event_log.EventLogRead:
    return event_log.read(invocation.run)
