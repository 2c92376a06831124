"""What is stored, and whether every payment agrees with its provider."""

import json
from collections.abc import Callable
from typing import Any

from bridge.core.operations import payment_operator
from bridge.models.payment import Payment
from bridge.store.payments import payment_items
from local import database
from local.stripe.simulator import StripeSimulator
from local.template import Template

Scan = Callable[[], dict[str, list[dict[str, Any]]]]
PAID = {"succeeded", "requires_capture"}


def scan_of(read: Template) -> Scan:
    """Makes a function that reads every item of every table, in a fixed order."""
    return lambda: {name: _items(table["TableName"]) for name, table in read.tables.items()}


def _items(table: str) -> list[dict[str, Any]]:
    pages = database.client().get_paginator("scan").paginate(TableName=table)
    items = [item for page in pages for item in page["Items"]]
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def stored_payments(scan: Scan) -> list[Payment]:
    """All payment rows."""
    rows = [item["pk"]["S"] for item in scan()["Ledger"] if item["sk"]["S"] == "P"]
    found = [payment_items.get(row.replace("P#", "pay_", 1)) for row in rows]
    return [payment for payment in found if payment]


def assert_converged(payments: list[Payment], stripe: StripeSimulator) -> None:
    """Every payment agrees with its provider, has no lock and a whole timeline.

    Each was charged at most once, and every paid intent belongs to one of the payments.
    """
    intents = {str(intent["id"]): intent for intent in stripe.intents()}
    charged = [str(charge["payment_intent"]) for charge in stripe.charges()]
    for payment in payments:
        intent = intents.pop(str(payment.provider_payment_id), None)
        context = (payment.id, payment.status, intent)
        assert payment.active_attempt is None, context
        assert payment_operator.inspect_payment(payment.id).timeline_is_whole, context
        if payment.provider_payment_id is None:
            assert payment.status == "failed", context
            continue
        assert intent, context
        assert (payment.status in PAID) == (intent["status"] in PAID), context
        assert charged.count(payment.provider_payment_id) == (payment.status in PAID), context
        assert payment.status in PAID or not payment.captured_cents, context
    assert not [each for each in intents.values() if each["status"] in PAID]
