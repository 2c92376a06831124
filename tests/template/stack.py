"""What the tests of template.yaml share: the functions, their event files, the routes.

`NAMES` are the functions by folder, such as `native/create_customer`.
"""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from local import template
from tests.policies import ROOT

BASE = "/bridge-payment"
SHOP = "/v1/public-api/organizations/{organization_id}"
INSTRUMENT = f"{SHOP}/customers/{{id}}/payment-instruments/{{instrument_id}}"
# Every route of the four APIs with its function. Sources:
# docs/api/native.md, sections 3, 4, 5 and 6; docs/api/payments-ai.md, sections 2, 3 and 4;
# docs/api/monri.md, sections 3 and 5; docs/api/alternative.md, sections 2 and 6.
ROUTES = {
    f"POST {BASE}/customers": "native/create_customer",
    f"GET {BASE}/customers/{{id}}": "native/get_customer",
    f"GET {BASE}/customers": "native/list_customers",
    f"PUT {BASE}/customers/{{id}}": "native/update_customer",
    f"DELETE {BASE}/customers/{{id}}": "native/delete_customer",
    f"POST {BASE}/payments/intents": "native/create_payment_intent",
    f"PUT {BASE}/payments/intents/{{id}}": "native/update_payment_intent",
    f"PATCH {BASE}/payments/intents/{{id}}": "native/update_payment_intent",
    f"POST {BASE}/payments/confirm/{{id}}": "native/confirm_payment",
    f"POST {BASE}/payments/intents/{{id}}/confirm": "native/confirm_payment",
    f"POST {BASE}/payments/{{id}}/cancel": "native/cancel_payment",
    f"POST {BASE}/payments/{{id}}/capture": "native/capture_payment",
    f"POST {BASE}/payments/{{id}}/refund": "native/refund_payment",
    f"POST {BASE}/payments/sync/{{id}}": "native/sync_payment",
    f"POST {BASE}/payments/intents/{{id}}/sync": "native/sync_payment",
    f"GET {BASE}/payments/{{id}}": "native/get_payment",
    f"GET {BASE}/payments/intents/{{id}}": "native/get_payment",
    f"GET {BASE}/payments/{{id}}/refunds": "native/list_refunds",
    f"GET {BASE}/payments/{{id}}/timeline": "native/get_timeline",
    f"GET {BASE}/payments": "native/list_payments",
    f"GET {BASE}/payments/guest/{{email}}": "native/list_guest_payments",
    f"POST {BASE}/payment-methods": "native/create_payment_method",
    f"GET {BASE}/payment-methods/{{id}}": "native/get_payment_method",
    f"GET {BASE}/payment-methods": "native/list_payment_methods",
    f"GET {BASE}/payment-methods/customer/{{id}}": "native/list_customer_payment_methods",
    f"PUT {BASE}/payment-methods/{{id}}": "native/update_payment_method",
    f"POST {BASE}/payment-methods/{{id}}/set-default": "native/set_default_payment_method",
    f"DELETE {BASE}/payment-methods/{{id}}": "native/delete_payment_method",
    f"POST {BASE}/addresses": "native/create_address",
    f"GET {BASE}/addresses/{{id}}": "native/get_address",
    f"GET {BASE}/addresses": "native/list_addresses",
    f"PUT {BASE}/addresses/{{id}}": "native/update_address",
    f"DELETE {BASE}/addresses/{{id}}": "native/delete_address",
    f"POST {SHOP}/customers": "payments_ai/create_customer",
    f"POST {SHOP}/customers/": "payments_ai/create_customer",
    f"GET {SHOP}/customers/{{id}}": "payments_ai/get_customer",
    f"GET {SHOP}/customers": "payments_ai/list_customers",
    f"PUT {SHOP}/customers/{{id}}": "payments_ai/update_customer",
    f"PATCH {SHOP}/customers/{{id}}": "payments_ai/update_customer",
    f"DELETE {SHOP}/customers/{{id}}": "payments_ai/delete_customer",
    f"POST {SHOP}/customers/{{id}}/payment-instruments": "payments_ai/create_payment_instrument",
    f"GET {SHOP}/customers/{{id}}/payment-instruments": "payments_ai/list_payment_instruments",
    f"GET {INSTRUMENT}": "payments_ai/get_payment_instrument",
    f"DELETE {INSTRUMENT}": "payments_ai/delete_payment_instrument",
    f"POST {SHOP}/custom-fields": "payments_ai/create_custom_field",
    f"GET {SHOP}/custom-fields": "payments_ai/list_custom_fields",
    f"GET {SHOP}/custom-fields/{{resource}}": "payments_ai/list_custom_fields",
    f"GET {SHOP}/custom-fields/{{resource}}/{{name}}": "payments_ai/get_custom_field",
    f"PUT {SHOP}/custom-fields/{{resource}}/{{name}}": "payments_ai/update_custom_field",
    "POST /v2/oauth": "monri/create_token",
    "POST /v2/customers": "monri/create_customer",
    "GET /v2/customers": "monri/list_customers",
    "GET /v2/customers/{uuid}": "monri/get_customer",
    "POST /v2/customers/{uuid}": "monri/update_customer",
    "DELETE /v2/customers/{uuid}": "monri/delete_customer",
    "GET /v2/customers/{uuid}/payment-methods": "monri/list_payment_methods",
    "GET /v2/merchants/customers/{merchant_customer_id+}": "monri/get_customer_by_merchant_id",
    "POST /oauth/token": "alternative/create_token",
    "GET /customers": "alternative/list_customers",
    "POST /customers": "alternative/create_customer",
    "GET /customers/{id}": "alternative/get_customer",
    "DELETE /customers/{id}": "alternative/archive_customer",
    "GET /customers/{id}/payment-methods": "alternative/list_payment_methods",
    "GET /customers/{id}/users": "alternative/list_customer_users",
    "POST /customers/{id}/users": "alternative/create_customer_user",
    f"POST {BASE}/webhooks/stripe": "webhooks/stripe",
    "GET /health": "operations/health",
    "GET /health/live": "operations/health",
    "GET /health/ready": "operations/health",
    "$default": "operations/unmatched",
}
NAMES = sorted(
    str(each.parent.relative_to(ROOT / "functions"))
    for each in ROOT.glob("functions/*/*/handler.py")
)
LOCAL = template.read()


def logical_id(name: str) -> str:
    """The logical id of a function: `native/create_customer` is NativeCreateCustomer."""
    return "".join(word.title() for word in re.split("[/_]", name))


def event_of(name: str) -> dict[str, Any]:
    """The event file of a function."""
    event = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(event, dict)
    return event


def calls_in(folder: str) -> Iterator[tuple[str, str]]:
    """Every call in a folder whose first argument is a text: the called name, and that text."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func
                name = (
                    called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                )
                yield name, str(node.args[0].value)


CALLS = list(calls_in("layers/bridge/python/bridge"))
"""The calls of the product code: which settings, secrets and metrics it names."""
