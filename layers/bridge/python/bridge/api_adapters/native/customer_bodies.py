"""The bodies of requests about customers. Source: docs/api/native.md, section 3."""

from bridge.api_adapters.native import bodies
from bridge.bodies.customer import CustomerChange, NewCustomer
from bridge.inbound import Request


def read_new_customer(request: Request) -> NewCustomer:
    """A customer to create. Raises NotAuthenticated, AuthUnavailable, InvalidRequest."""
    bodies.check_guest(request)
    return bodies.required(request, NewCustomer)


def read_customer_change(request: Request) -> CustomerChange:
    """A customer's changed fields. Raises InvalidRequest."""
    return bodies.required(request, CustomerChange)
