"""Invoked by operators: write a session into the table `secrets`."""

from bridge.background import Invocation, operation
from bridge.bodies.operator import SessionEvent
from bridge.core.operations import sessions


@operation
def handler(invocation: Invocation) -> None:
    sessions.put_session(invocation.parse(SessionEvent))
