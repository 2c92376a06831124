"""POST /bridge-payment/webhooks/stripe.

Source: docs/providers.md, section D.1; docs/api/native.md, section 6;
docs/payment-correctness.md, section 7.
"""

import json
import os
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from bridge import ssm
from functions.webhooks.stripe.handler import handler
from tests import stripe_events
from tests.conftest import Environment
from tests.functions.conftest import Api, Reply
from tests.stripe_events import TARGET, about_intent, delayed, event, sign, waiting

Put = Callable[[str, str], None]
Setting = Callable[[str, str], None]
Invoke = Callable[..., Reply]
GOLDEN_SECRET, GOLDEN_AT = "whsec_bridge_golden_0001", 1735689600
GOLDEN = {  # body and v1. Source: docs/providers.md, section D.1
    '{"id":"evt_test_1","object":"event","type":"payment_intent.succeeded",'
    '"data":{"object":{"id":"pi_test_1","object":"payment_intent"}}}': (
        "8da8490fd79d2029cc9abb8122d451d2e17ea1d70bc2ccffaabbe16df72269f4"
    ),
    '{"id":"evt_test_2","object":"event","type":"charge.refunded",'
    '"data":{"object":{"id":"ch_1","description":"Žižkov €5"}}}': (
        "08f74491a5243542ac4fc13719b33859cd809ec3c77784842ecb5a0601baacf4"
    ),
}
PAYMENT = {"id": "pay_123", "provider_payment_id": "pi_stripe_abc123"}


@pytest.fixture
def hook(environment: Environment, tables: None) -> Callable[..., Reply]:
    """Send a body to the webhook: `hook(body)`. It is signed with our secret by default."""

    def send(body: object, signature: str | None = None, **headers: str) -> Reply:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        raw = text if isinstance(text, bytes) else text.encode()
        header = sign(raw.decode()) if signature is None else signature
        sent = {"content-type": "application/json; charset=utf-8", "stripe-signature": header}
        response = environment.gateway.call("POST", TARGET, sent | headers, raw)
        lowered = {name.lower(): value for name, value in response.headers}
        return Reply(response.status, lowered, response.body.decode())

    return send


@pytest.fixture
def queue(environment: Environment) -> str:
    return environment.queues["SyncQueue"]


def test_event_file_is_queued_and_returns_200(
    tables: None, put_secret: Put, invoke: Invoke, queue: str
) -> None:
    put_secret("STRIPE_WEBHOOK_SECRET", GOLDEN_SECRET)
    ssm.forget_secrets()
    reply = invoke(handler, "webhooks/stripe")
    assert (reply.status, reply.body) == (200, {"received": True})
    (message,) = waiting(queue)
    assert message == {
        "event_reference": {
            "provider_id": "stripe",
            "event_id": "evt_1SqP3nLkdIwHu7ix8wq2kV5T",
            "type": "payment_intent.succeeded",
            "payment_id": "pay_123",
            "provider_payment_id": "pi_stripe_abc123",
        }
    }


@pytest.mark.parametrize("body", GOLDEN, ids=["ascii", "utf-8"])
def test_golden_vectors_are_valid_at_their_time_and_too_old_today(
    body: str,
    hook: Callable[..., Reply],
    put_secret: Put,
    queue: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_secret("STRIPE_WEBHOOK_SECRET", GOLDEN_SECRET)
    ssm.forget_secrets()
    assert sign(body, GOLDEN_SECRET, GOLDEN_AT) == f"t={GOLDEN_AT},v1={GOLDEN[body]}"
    signature = f"t={GOLDEN_AT},v1={GOLDEN[body]}"
    assert hook(body, signature).code == "signature_invalid"
    assert waiting(queue) == []
    with monkeypatch.context() as then:
        then.setattr(time, "time", lambda: float(GOLDEN_AT + 299))
        assert hook(body, signature).status == 200
        assert hook(body.replace("1", "2", 1), signature).code == "signature_invalid"
    (message,) = waiting(queue)
    assert message["event_reference"]["event_id"] == json.loads(body)["id"]


@pytest.mark.parametrize(("age", "status"), [(290, 200), (310, 400), (-3600, 200)])
def test_signature_older_than_300_seconds_returns_400(
    age: int, status: int, hook: Callable[..., Reply]
) -> None:
    body = json.dumps(about_intent(PAYMENT))
    assert hook(body, sign(body, at=int(time.time()) - age)).status == status


@pytest.mark.parametrize("between", [",", " ", "\n", ", ", " ,\t"])
def test_two_secrets_are_valid_at_once(
    between: str, hook: Callable[..., Reply], put_secret: Put, queue: str
) -> None:
    put_secret("STRIPE_WEBHOOK_SECRET", f"whsec_new{between}whsec_old\n")
    ssm.forget_secrets()
    body = json.dumps(about_intent(PAYMENT))
    for secret in ("whsec_new", "whsec_old"):
        assert hook(body, sign(body, secret)).status == 200
    for secret in ("whsec_other", f"whsec_new{between}whsec_old", " "):
        assert hook(body, sign(body, secret)).code == "signature_invalid"
    assert len(waiting(queue)) == 2


def test_any_of_several_v1_signatures_is_accepted(hook: Callable[..., Reply]) -> None:
    """Stripe sends several while the endpoint's secret is being rolled."""
    body = json.dumps(about_intent(PAYMENT))
    at, _, v1 = sign(body).partition(",")
    assert hook(body, f"{at},v1={'0' * 64},{v1},v0=abc").status == 200
    assert hook(body, f"{at},v0={v1.removeprefix('v1=')}").code == "signature_invalid"


FORGED = {
    "no signature": "",
    "no time": "v1=00",
    "no hex": "t=4102444800,v1=",
    "no number": "t=soon,v1=00",
    "another's": sign("{}", "whsec_of_somebody_else", 4102444800),
    "not ASCII": "t=4102444800,v1=é",
    "digits of another script": "t=٤١٠٢٤٤٤٨٠٠,v1=00",
    "too many digits": f"t={'9' * 5000},v1=00",
    "commas": ",,,=,=,",
}


@pytest.mark.parametrize("signature", FORGED.values(), ids=FORGED.keys())
def test_forged_signature_returns_400_and_queues_nothing(
    signature: str, hook: Callable[..., Reply], queue: str
) -> None:
    for body in (json.dumps(about_intent(PAYMENT)), b"\xff\xfe{}", "", "[" * 100_000):
        reply = hook(body, signature)
        assert (reply.status, reply.code) == (400, "signature_invalid")
    assert waiting(queue) == []


def test_changed_body_returns_400_and_queues_nothing(
    hook: Callable[..., Reply], queue: str
) -> None:
    body = json.dumps(about_intent(PAYMENT))
    signature = sign(body)
    for changed in (body + " ", body.replace("pay_123", "pay_124"), body.encode("utf-16")):
        assert hook(changed, signature).code == "signature_invalid"
    assert waiting(queue) == []


def test_signature_covers_raw_bytes_also_if_the_gateway_encodes_them(
    hook: Callable[..., Reply],
    event: Callable[[str], dict[str, Any]],
    invoke: Invoke,
    queue: str,
) -> None:
    body = json.dumps(about_intent(PAYMENT) | {"note": "Žižkov €5"}, ensure_ascii=False)
    assert hook(body, **{"content-type": "application/octet-stream"}).status == 200
    sent = event("webhooks/stripe")["headers"] | {"stripe-signature": sign(body)}
    encoded = b64encode(body.encode()).decode()
    reply = invoke(handler, "webhooks/stripe", body=encoded, isBase64Encoded=True, headers=sent)
    assert reply.status == 200
    assert len(waiting(queue)) == 2


def test_event_of_the_other_mode_returns_400(
    hook: Callable[..., Reply], setting: Setting, queue: str
) -> None:
    test, live = about_intent(PAYMENT), about_intent(PAYMENT, livemode=True)
    assert (hook(live).status, hook(live).code) == (400, "mode_mismatch")
    assert hook(live | {"type": "payment_method.detached"}).code == "mode_mismatch"
    setting("MODE", "live")
    assert hook(test).code == "mode_mismatch"
    assert waiting(queue) == []
    assert hook(live).status == 200


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "7",
        "{",
        "[" * 100_000,
        {"object": "event"},
        {"id": 7, "type": []},
        {"id": "evt_1", "type": "payment_intent.succeeded"},
        {"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": "pi_1"}},
        {"id": "x" * 256, "type": "charge.refunded", "data": {"object": {"id": "c", "object": ""}}},
        {"id": "", "type": "charge.refunded", "data": {"object": {"id": "c", "object": ""}}},
        {"id": "evt_1", "type": "payment_method.detached", "data": {"object": {"id": ""}}},
        {"id": "evt_1", "type": "payment_method.updated", "data": {"object": {"id": "x" * 256}}},
    ],
)
def test_signed_body_that_is_no_event_returns_400(
    body: object, hook: Callable[..., Reply], queue: str
) -> None:
    assert hook(body).status == 400
    assert waiting(queue) == []


INTENT, CHARGE = "pi_1", "ch_1"
Case = tuple[dict[str, Any], dict[str, str]]
OF_INTENT: Case = (
    {"id": INTENT, "object": "payment_intent", "metadata": {"payment_id": "pay_1"}},
    {"payment_id": "pay_1", "provider_payment_id": INTENT},
)
OF_CHARGE: Case = (
    {"id": CHARGE, "object": "charge", "payment_intent": INTENT, "metadata": {}},
    {"provider_payment_id": INTENT, "parent_id": INTENT},
)
OF_REFUND: Case = (
    {"id": "re_1", "object": "refund", "payment_intent": INTENT, "charge": CHARGE},
    {"provider_payment_id": INTENT, "parent_id": INTENT},
)
OF_DISPUTE: Case = (
    {"id": "du_1", "object": "dispute", "payment_intent": None, "charge": CHARGE},
    {"parent_id": CHARGE},
)
KINDS: dict[str, Case] = {
    **dict.fromkeys(
        (
            "payment_intent.amount_capturable_updated",
            "payment_intent.canceled",
            "payment_intent.created",
            "payment_intent.payment_failed",
            "payment_intent.processing",
            "payment_intent.requires_action",
            "payment_intent.succeeded",
        ),
        OF_INTENT,
    ),
    **dict.fromkeys(("charge.captured", "charge.expired", "charge.refunded"), OF_CHARGE),
    **dict.fromkeys(
        ("charge.refund.updated", "refund.created", "refund.failed", "refund.updated"), OF_REFUND
    ),
    **dict.fromkeys(
        (
            "charge.dispute.closed",
            "charge.dispute.created",
            "charge.dispute.funds_reinstated",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.updated",
        ),
        OF_DISPUTE,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_payment_event_queues_its_ids_and_nothing_else(
    kind: str, hook: Callable[..., Reply], queue: str
) -> None:
    about, read = KINDS[kind]
    whole = about | {"status": "succeeded", "amount": 1, "client_secret": "pi_1_secret_x"}
    sent = event(kind, whole)
    assert hook(sent).status == 200
    (message,) = waiting(queue)
    known = {"provider_id": "stripe", "event_id": sent["id"], "type": kind}
    assert message == {"event_reference": known | read}


@pytest.mark.parametrize("kind", ["attached", "automatically_updated", "detached", "updated"])
def test_method_event_queues_its_token_and_nothing_else(
    kind: str, hook: Callable[..., Reply], queue: str
) -> None:
    card = {"brand": "visa", "last4": "4242", "exp_month": 1, "exp_year": 2099}
    about = {"id": "pm_1", "object": "payment_method", "customer": None, "card": card}
    data = {"object": about, "previous_attributes": {"customer": "cus_1"}}
    sent = event(f"payment_method.{kind}", about, data=data)
    assert hook(sent).status == 200
    (message,) = waiting(queue)
    assert message == {
        "method_event_reference": {
            "provider_id": "stripe",
            "event_id": sent["id"],
            "type": f"payment_method.{kind}",
            "token": "pm_1",
        }
    }


@pytest.mark.parametrize(
    "kind",
    [
        *("payment_method.created", "customer.deleted", "setup_intent.succeeded"),
        *("charge.succeeded", "balance.available", "payout.paid", "no.such.event"),
    ],
)
def test_event_of_unrelated_type_returns_200_and_queues_nothing(
    kind: str, hook: Callable[..., Reply], queue: str
) -> None:
    assert hook(event(kind, {"object": "balance"})).status == 200
    assert waiting(queue) == []


def test_failing_queue_returns_503(
    hook: Callable[..., Reply], setting: Setting, environment: Environment, queue: str
) -> None:
    sent = about_intent(PAYMENT)
    setting("QUEUE_URL", environment.queues["SyncQueue"] + "-gone")
    reply = hook(sent)
    assert (reply.status, reply.code) == (503, "temporarily_unavailable")
    assert int(reply.headers["retry-after"]) >= 1
    setting("QUEUE_URL", environment.queues["SyncQueue"])
    assert hook(sent).status == 200
    assert len(waiting(queue)) == 1


def test_unreadable_secret_returns_503(
    hook: Callable[..., Reply], setting: Setting, queue: str
) -> None:
    body = json.dumps(about_intent(PAYMENT))
    signature = sign(body)
    setting("SECRETS_PREFIX", "/bridge/nowhere")
    ssm.forget_secrets()
    try:
        assert hook(body, signature).status == 503
    finally:
        os.environ["SECRETS_PREFIX"] = "/bridge/dev"
        ssm.forget_secrets()
    assert waiting(queue) == []


@pytest.mark.parametrize("secret", [" ", ",", " , \n"])
def test_blank_secret_accepts_no_signature(
    secret: str, hook: Callable[..., Reply], put_secret: Put, queue: str
) -> None:
    put_secret("STRIPE_WEBHOOK_SECRET", secret)
    ssm.forget_secrets()
    body = json.dumps(about_intent(PAYMENT))
    for forged in (" ", ",", "\n", "x"):
        assert hook(body, sign(body, forged)).code == "signature_invalid"
    assert waiting(queue) == []


def test_webhook_calls_no_provider_and_stores_nothing(
    api: Api, hook: Callable[..., Reply], environment: Environment, queue: str
) -> None:
    payment = api.payment()
    before, asked = api.get(f"/payments/{payment['id']}").body, len(environment.stripe.requests)
    assert hook(about_intent(payment)).status == 200
    assert api.get(f"/payments/{payment['id']}").body == before
    assert len(environment.stripe.requests) == asked
    assert delayed(queue) == 0
    assert stripe_events.waiting(environment.queues["SyncDeadLetters"]) == []
