"""Every minute: look at everything that is due."""

from bridge.core import sweep
from bridge.inbound import Invocation, scheduled


@scheduled
def handler(invocation: Invocation) -> sweep.Swept:
    return sweep.sweep(invocation.call)
