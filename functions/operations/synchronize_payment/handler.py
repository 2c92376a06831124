"""Invoked by operators: ask the provider for a payment's state now, and save it."""

from bridge.background import Invocation, operation
from bridge.core.operations import payment_operator


@operation
def handler(invocation: Invocation) -> payment_operator.Inspection:
    return payment_operator.synchronize_payment(invocation.text("payment_id"), invocation.run)
