"""Invoked by operators: ask the provider now and bring our row to its truth."""

from bridge.core import operators
from bridge.inbound import Invocation, operation


@operation
def handler(invocation: Invocation) -> operators.Inspection:
    return operators.converge_payment(invocation.text("payment_id"), invocation.call)
