"""Invoked by operators: deliver a payment's events again, from a sequence number on."""

from bridge.background import Invocation, operation
from bridge.bodies.operator import ReplayEvent
from bridge.core.operations import payment_operator
from bridge.core.workers import event_delivery


@operation
def handler(invocation: Invocation) -> event_delivery.Delivered:
    return payment_operator.replay_events(invocation.parse(ReplayEvent), invocation.run)
