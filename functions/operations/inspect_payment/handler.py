"""Invoked by operators: show a payment's row, whether it is due, and its timeline."""

from bridge.background import Invocation, operation
from bridge.core.operations import payment_operator


@operation
def handler(invocation: Invocation) -> payment_operator.Inspection:
    return payment_operator.inspect_payment(invocation.text("payment_id"))
