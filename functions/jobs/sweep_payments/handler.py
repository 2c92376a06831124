"""Every minute: look at everything that is due."""

from bridge.background import Invocation, scheduled
from bridge.core.workers import sweep


@scheduled
def handler(invocation: Invocation) -> sweep.Swept:
    return sweep.sweep(invocation.run)
