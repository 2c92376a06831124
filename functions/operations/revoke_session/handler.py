"""Invoked by operators: end a session at once."""

from bridge.background import Invocation, operation
from bridge.core.operations import sessions


@operation
def handler(invocation: Invocation) -> None:
    sessions.revoke_session(invocation.text("session_id"))
