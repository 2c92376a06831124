"""Every minute: continue the deletions that are not finished yet."""

from bridge.background import Invocation, scheduled
from bridge.core.workers import deletion


@scheduled
def handler(invocation: Invocation) -> deletion.Worked:
    return deletion.finish_due(invocation.run)
