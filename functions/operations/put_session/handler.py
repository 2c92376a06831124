"""Invoked by operators: write a session into the `secrets` table."""

from bridge.background import Invocation, operation
from bridge.core.operations import payment_operator


@operation
def handler(invocation: Invocation) -> None:
    payment_operator.put_session(invocation.parse(payment_operator.SessionEvent))
