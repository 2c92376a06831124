"""Messages of the queue: a provider's event, or a status check that we scheduled."""

from bridge.background import Invocation, worker
from bridge.core.workers import queue_messages


@worker
def handler(invocation: Invocation) -> None:
    queue_messages.handle(queue_messages.read(invocation.event), invocation.run)
