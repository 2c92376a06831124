"""Stripe's events as tests send them: the envelope, the signature, the queue message."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import stripe

from bridge import ssm
from local import database

TARGET = "/bridge-payment/webhooks/stripe"
Event = dict[str, Any]


def event(kind: str, about: Mapping[str, Any], **more: object) -> Event:
    """A Stripe event about an object. Source: docs/providers.md, section D.1."""
    envelope: Event = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1768471808,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
        "data": {"object": dict(about)},
    }
    return envelope | more


def about_intent(
    payment: Mapping[str, Any], kind: str = "payment_intent.succeeded", **more: object
) -> Event:
    """An event whose object is the intent of a payment, with our reference in its metadata."""
    about = {
        "id": payment["provider_payment_id"],
        "object": "payment_intent",
        "metadata": {"payment_id": payment["id"]},
    }
    return event(kind, about, **more)


def wrapped(inner: Event, **more: object) -> Event:
    """The same event as it comes by EventBridge. Source: docs/providers.md, section D.1."""
    envelope: Event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": inner["type"],
        "source": "aws.partner/stripe.com/ed_test_1",
        "account": "123456789012",
        "time": "2026-01-15T10:10:08Z",
        "region": "us-east-1",
        "resources": ["aws.partner/stripe.com/ed_test_1"],
        "detail": inner,
    }
    return envelope | more


def sign(body: str, secret: str = "", at: int | None = None) -> str:
    """The signature header, made by the official SDK. Default secret: our first one."""
    secret = secret or ssm.secret("STRIPE_WEBHOOK_SECRET").split(",")[0]
    return stripe.WebhookSignature.generate_signature_header(body, secret, at)


def batch(*bodies: object) -> dict[str, Any]:
    """The event that SQS sends to Lambda for these messages."""
    records = [
        {
            "messageId": f"message-{number}",
            "receiptHandle": f"handle-{number}",
            "body": body if isinstance(body, str) else json.dumps(body),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:bridge-local-SyncQueue",
            "awsRegion": "us-east-1",
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def waiting(url: str) -> list[dict[str, Any]]:
    """The visible messages of a queue. They stay there, and each counts as delivered once more."""
    sqs, found = database.client("sqs"), []
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600)
        if not (messages := answer.get("Messages", [])):
            break
        found += messages
    for message in found:
        sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return [json.loads(message["Body"]) for message in found]


def delayed(url: str) -> int:
    """How many messages of a queue wait for their delay to pass."""
    return _count(url, "Delayed")


def unfinished(url: str) -> int:
    """How many messages a queue contains: visible, being handled, and delayed."""
    return _count(url, "", "NotVisible", "Delayed")


def _count(url: str, *kinds: str) -> int:
    names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
    asked = database.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(asked["Attributes"][name]) for name in names)
