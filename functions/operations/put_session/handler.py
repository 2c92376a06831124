"""Invoked by operators: write a session into the `secrets` table."""

from bridge.background import Invocation, operation
from bridge.core import operators


@operation
def handler(invocation: Invocation) -> None:
    operators.put_session(invocation.parse(operators.SessionEvent))
