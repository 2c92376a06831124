"""Every minute: check every payment that is due, and deliver events that are due."""

from bridge.background import Invocation, scheduled
from bridge.core.workers import sweep


@scheduled
def handler(invocation: Invocation) -> sweep.Swept:
    return sweep.sweep(invocation.run)
