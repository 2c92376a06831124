"""Invoked by operators: deliver a payment's events again, from a sequence number on."""

from bridge.core import events, operators
from bridge.inbound import Invocation, operation


@operation
def handler(invocation: Invocation) -> events.Delivered:
    return operators.replay_events(invocation.parse(operators.ReplayEvent), invocation.call)
