"""The first comparison: bare boto3 handlers, an event in, a response out."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from benchmarks import calls
from benchmarks.rows import Item

Handler = Callable[[Item, Any], Item]


def get_payment(event: Item, context: Any) -> Item:
    """GET /bridge-payment/payments/{id}"""
    return _answer(200, calls.get_payment(_session(event), event["pathParameters"]["id"]))


def get_customer(event: Item, context: Any) -> Item:
    """GET /bridge-payment/customers/{id}"""
    return _answer(200, calls.get_customer(_session(event), event["pathParameters"]["id"]))


def list_payments(event: Item, context: Any) -> Item:
    """GET /bridge-payment/payments"""
    limit = int(event["queryStringParameters"]["limit"])
    return _answer(200, calls.list_payments(_session(event), limit))


def create_payment_intent(event: Item, context: Any) -> Item:
    """POST /bridge-payment/payments/intents"""
    new, key = json.loads(event["body"]), event["headers"]["idempotency-key"]
    return _answer(201, calls.create_payment(_session(event), new, key))


def confirm_payment(event: Item, context: Any) -> Item:
    """POST /bridge-payment/payments/confirm/{id}"""
    method = json.loads(event["body"])["payment_method_id"]
    payment_id = event["pathParameters"]["id"]
    return _answer(200, calls.confirm_payment(_session(event), payment_id, method))


HANDLERS: dict[str, Handler] = {
    each.__name__: each
    for each in (get_payment, get_customer, list_payments, create_payment_intent, confirm_payment)
}


def _session(event: Item) -> str:
    return str(event["headers"]["x-session-id"])


def _answer(status: int, body: object) -> Item:
    headers = {"Content-Type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body, default=_whole)}


def _whole(number: Decimal) -> int:
    return int(number)
