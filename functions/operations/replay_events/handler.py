"""Invoked by operators: deliver a payment's events again, from a sequence number on."""

from bridge.background import Invocation, operation
from bridge.core import events, operators


@operation
def handler(invocation: Invocation) -> events.Delivered:
    return operators.replay_events(invocation.parse(operators.ReplayEvent), invocation.call)
