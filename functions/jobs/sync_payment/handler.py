"""Messages of the queue: a provider's event, or a look that was put off."""

from bridge.core import deliveries
from bridge.inbound import Invocation, worker


@worker
def handler(invocation: Invocation) -> None:
    deliveries.handle(invocation.parse(deliveries.Message), invocation.call)
