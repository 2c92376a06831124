"""Invoked by operators: end a session at once."""

from bridge.background import Invocation, operation
from bridge.core import operators


@operation
def handler(invocation: Invocation) -> None:
    operators.revoke_session(invocation.text("session_id"))
