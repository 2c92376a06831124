"""The bodies of requests about payments. Source: docs/api/native.md, section 4."""

from bridge.api_adapters.native import bodies
from bridge.bodies.payment import (
    Cancellation,
    Capture,
    Confirmation,
    NewPayment,
    NewRefund,
    PaymentChange,
)
from bridge.inbound import Request


def read_new_payment(request: Request) -> NewPayment:
    """A payment to create. Raises NotAuthenticated, AuthUnavailable, InvalidRequest."""
    bodies.check_guest(request)
    return bodies.required(request, NewPayment)


def read_payment_change(request: Request) -> PaymentChange:
    """A payment's changed fields. Raises InvalidRequest."""
    return bodies.required(request, PaymentChange)


def read_confirmation(request: Request) -> Confirmation:
    """How to confirm a payment. The body may be empty. Raises InvalidRequest."""
    return bodies.optional(request, Confirmation)


def read_cancellation(request: Request) -> Cancellation:
    """How to cancel a payment. The body may be empty. Raises InvalidRequest."""
    return bodies.optional(request, Cancellation)


def read_capture(request: Request) -> Capture:
    """What to capture. The body may be empty. Raises InvalidRequest."""
    return bodies.optional(request, Capture)


def read_new_refund(request: Request) -> NewRefund:
    """What to refund. The body may be empty. Raises InvalidRequest."""
    return bodies.optional(request, NewRefund)
