"""Every minute: go on with the deletions of customers that are not finished."""

from bridge.core import deletion
from bridge.inbound import Invocation, scheduled


@scheduled
def handler(invocation: Invocation) -> deletion.Worked:
    return deletion.finish_due(invocation.call)
