"""Invoked by operators: write a session into the `secrets` table."""

from bridge.core import operators
from bridge.inbound import Invocation, operation


@operation
def handler(invocation: Invocation) -> None:
    operators.put_session(invocation.parse(operators.SessionEvent))
