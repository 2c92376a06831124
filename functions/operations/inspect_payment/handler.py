"""Invoked by operators: one payment's row, what is due of it, and its timeline."""

from bridge.background import Invocation, operation
from bridge.core import operators


@operation
def handler(invocation: Invocation) -> operators.Inspection:
    return operators.inspect_payment(invocation.text("payment_id"))
