"""Every minute: go on with the deletions of customers that are not finished."""

from bridge.background import Invocation, scheduled
from bridge.core.workers import deletion


@scheduled
def handler(invocation: Invocation) -> deletion.Worked:
    return deletion.finish_due(invocation.run)
