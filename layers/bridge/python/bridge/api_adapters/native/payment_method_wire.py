"""Payment methods as the native API shows them. Source: docs/api/native.md, section 5."""

from typing import Any

from bridge.api_adapters.native.wire import replayed
from bridge.inbound import Response
from bridge.models.payment_method import MethodResult, PaymentMethod
from bridge.models.text import utc_seconds


def render_method(method: PaymentMethod) -> dict[str, Any]:
    """The full payment method. Type, brand and last digits have two names: clients read both."""
    return {
        "id": method.id,
        "customer_id": method.customer_id,
        "provider_id": method.provider_id,
        "provider_payment_method_id": method.token,
        "type": method.type,
        "payment_type": method.type,
        "brand": method.brand,
        "card_brand": method.brand,
        "last4": method.last4,
        "last_four": method.last4,
        "exp_month": method.exp_month,
        "exp_year": method.exp_year,
        "is_default": method.is_default,
        "alias": method.alias,
        "billing_address_id": method.billing_address_id,
        "metadata": method.metadata,
        "created_at": utc_seconds(method.created_at),
        "updated_at": utc_seconds(method.updated_at),
    }


def render_new_method(result: MethodResult) -> Response:
    """201 with the payment method."""
    return Response(render_method(result.method), 201, replayed(result.replayed))


def render_methods(methods: list[PaymentMethod]) -> list[dict[str, Any]]:
    """A list of full payment methods."""
    return [render_method(method) for method in methods]
