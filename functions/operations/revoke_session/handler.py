"""Invoked by operators: end a session at once."""

from bridge.background import Invocation, operation
from bridge.core.operations import payment_operator


@operation
def handler(invocation: Invocation) -> None:
    payment_operator.revoke_session(invocation.text("session_id"))
