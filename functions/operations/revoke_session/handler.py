"""Invoked by operators: end a session at once."""

from bridge.core import operators
from bridge.inbound import Invocation, operation


@operation
def handler(invocation: Invocation) -> None:
    operators.revoke_session(invocation.text("session_id"))
