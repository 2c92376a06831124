"""Invoked by operators: ask the provider now and bring our row to its truth."""

from bridge.background import Invocation, operation
from bridge.core import operators


@operation
def handler(invocation: Invocation) -> operators.Inspection:
    return operators.converge_payment(invocation.text("payment_id"), invocation.call)
