"""Messages of the queue: a provider's event, or a look that was put off."""

from bridge.background import Invocation, worker
from bridge.core import deliveries


@worker
def handler(invocation: Invocation) -> None:
    deliveries.handle(invocation.parse(deliveries.Message), invocation.call)
