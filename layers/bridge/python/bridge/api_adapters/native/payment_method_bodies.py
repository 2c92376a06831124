"""The bodies of requests about payment methods. Source: docs/api/native.md, section 5."""

from bridge.api_adapters.native import bodies
from bridge.bodies.payment_method import MethodChange, NewMethod
from bridge.inbound import Request


def read_new_method(request: Request) -> NewMethod:
    """A payment method to save. Raises InvalidRequest."""
    return bodies.without_cards(request, NewMethod)


def read_method_change(request: Request) -> MethodChange:
    """A payment method's changed fields. Raises InvalidRequest."""
    return bodies.without_cards(request, MethodChange)
