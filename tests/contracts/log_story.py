"""Calls every endpoint, with success and with errors. All that a caller can send contains canaries.

A canary is a text that must never be in a log. `python -m tests.contracts.log_story FILE` logs to
its output as a function in Lambda does: there the root logger is set to INFO before our code is
imported. FILE gets the calls, their results and all canaries.
"""

import json
import logging
import os
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import stripe as stripe_sdk

from bridge import aws, clock, ssm
from bridge.authentication import merchants as access
from local import database, queues, settings, template
from local.event import Answer
from local.flowless import Flowless
from local.functions import Functions
from local.gateway import Gateway
from local.queues import EventSource
from local.stripe.server import serving
from local.stripe.simulator import StripeSimulator

BASE = "/bridge-payment"
SESSION = "session-canary-7d1c2f0b"
FLOWLESS_SESSION = "flowless-canary-33e8d1aa"
CLIENT_KEY = "idempotency-canary-5b7e91c4"
USER_EMAIL, GUEST_EMAIL = "user.canary@example.com", "guest.canary@example.com"
EMAIL, NEW_EMAIL = "customer.canary@example.com", "changed.canary@example.com"
CARD, PHONE = "4242424242424242", "+4930901820177"
TEXT = "Canary Birdson"
WORD = "canaryword"
METHOD, METHOD_TOKEN = "pm_canary_of_the_caller", "pm_canary_from_the_browser"
URL = "http://localhost:3000/back/canary-return?cart=canary"
METADATA = {"note": f"{WORD}-metadata", "card": CARD}
GUEST = {"email": GUEST_EMAIL, "name": f"{TEXT} Guest", "phone": PHONE}
MONEY = {"total_cents": 2000, "currency": "USD"}
VISA = {"payment_method_id": "pm_card_visa"}
DECLINED = {"payment_method_id": "pm_card_visa_chargeDeclinedInsufficientFunds"}
TEXTS = {
    "description": f"{TEXT} buys, card {CARD}",
    "concept": f"{WORD}-concept",
    "reference_code": f"{WORD}-reference",
    "category": f"{WORD}-category",
    "tags": f"{WORD}-tags",
    "metadata": METADATA,
    "return_url": URL,
    "unknown_field": f"{WORD}-unknown",
}
SECRETS = {
    "STRIPE_SECRET_KEY": "sk_test_canary51b0a7c9",
    "STRIPE_WEBHOOK_SECRET": "whsec_canary77c1d0 whsec_canary18e4f2",
    "BRIDGE_VALIDATION_SECRET": "validation-canary-90ab12",
    "TOKEN_KEYS": "k1:guest-key-canary-77aa21",
}


@dataclass
class Story:
    """The calls with their results, and every canary, also secrets from responses."""

    gateway: Gateway
    calls: list[dict[str, Any]] = field(default_factory=list)
    canaries: set[str] = field(default_factory=set)

    def ask(
        self,
        method: str,
        target: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        **expected: object,
    ) -> Any:
        """Call as the signed-in user, unless `headers` say otherwise.

        `expected` is what the test compares with the log lines of the call.
        """
        request_id = f"story-{len(self.calls):03}"
        sent = {"Content-Type": "application/json", "X-Request-ID": request_id}
        sent |= {"User-Agent": f"{WORD}-agent", "Cookie": f"crumb={WORD}-cookie"}
        sent |= {"X-Session-ID": SESSION} if headers is None else dict(headers)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.gateway.call(method, target, sent, b"" if body is None else content)
        self.calls.append({"request_id": request_id, "status": answer.status} | expected)
        return self._collect(answer)

    def _collect(self, answer: Answer) -> Any:
        body = answer.json() if answer.body else {}
        for each in body if isinstance(body, list) else [body]:
            names = ("client_secret", "guest_token", "provider_payment_method_id", "access_token")
            secrets = [each.get(name) for name in names]
            self.canaries |= {secret for secret in secrets if secret}
        return body

    def money(self, operation: str, *rest: Any, outcome: str, **more: Any) -> Any:
        """A call that moves money, or may do so: the log must say how it ended."""
        return self.ask(*rest, **more, money=[operation, outcome])


def customers(story: Story) -> None:
    """The native endpoints of customers."""
    names = {"first_name": f"{TEXT}s", "last_name": f"{WORD}-last", "phone": PHONE}
    body = {"provider_id": "stripe", "email": EMAIL, "metadata": METADATA} | names
    made = story.ask("POST", f"{BASE}/customers", body, caller="user")
    target = f"{BASE}/customers/{made['id']}"
    by_key = {"X-Session-ID": SESSION, "Idempotency-Key": CLIENT_KEY}
    for _ in range(2):
        story.ask("POST", f"{BASE}/customers", body, by_key)
    story.ask("POST", f"{BASE}/customers", body | {"email": NEW_EMAIL}, by_key)
    guest = {"provider_id": "stripe", "guest_data": GUEST}
    token = story.ask("POST", f"{BASE}/customers", guest, {}, caller="nobody")["guest_token"]
    story.ask("GET", target, None, {"X-Guest-Token": token}, caller="guest")
    story.ask("GET", target, None, {"Authorization": f"Bearer {SESSION}"}, caller="user")
    story.ask("GET", f"{target}?session_id={SESSION}", None, {}, caller="user")
    story.ask("GET", f"{BASE}/customers?limit=5&organization_id={WORD}-org", caller="user")
    story.ask("GET", f"{BASE}/customers", caller="user")
    story.ask("PUT", target, {"email": NEW_EMAIL, "name": TEXT, "metadata": METADATA})
    story.ask("PUT", target, {"email": f"{WORD} no address", "phone": f"{PHONE} {WORD}"})
    story.ask("PUT", target, {"metadata": {f"{WORD}-key": {"nested": TEXT}}, "name": [TEXT]})
    story.ask("PUT", target, {"user_id": f"{WORD}-user"})
    story.ask("DELETE", target)
    story.ask("DELETE", target)


def saved_methods(story: Story, stripe: StripeSimulator) -> None:
    """Payment methods and addresses, with card numbers at every place where one can be sent."""
    methods, addresses = f"{BASE}/payment-methods", f"{BASE}/addresses"
    by_key = {"X-Session-ID": SESSION, "Idempotency-Key": f"{CLIENT_KEY}-methods"}
    metadata = {"note": f"{WORD}-metadata"}
    token = str(stripe.seed_method(METHOD_TOKEN, None)["id"])
    body = {"token": token, "alias": TEXT, "metadata": metadata, "type": f"{WORD}-type"}
    made = {}
    for _ in range(2):
        made = story.ask("POST", methods, body, by_key, caller="user")
    story.ask("POST", methods, body | {"alias": "x"}, by_key)
    for wrong in ({"token": CARD}, {"alias": f"{TEXT} {CARD}"}, {CARD: {CARD: CARD}}):
        story.ask("POST", methods, body | wrong)
    for wrong in ({"token": METHOD}, {"billing_address_id": WORD}, {"customer_id": WORD}):
        story.ask("POST", methods, body | wrong)
    target = f"{methods}/{made['id']}"
    story.ask("PUT", target, {"alias": f"{WORD}-alias", "metadata": metadata})
    story.ask("PUT", target, {"alias": [TEXT], "provider_payment_method_id": f"{WORD}-token"})
    story.ask("GET", target)
    story.ask("GET", f"{methods}?customer_id={WORD}")
    story.ask("GET", f"{methods}/customer/{made['customer_id']}")
    story.ask("GET", methods)
    story.ask("POST", f"{target}/set-default")
    home = {"name": TEXT, "line1": f"{WORD}-line", "line2": TEXT, "city": f"{WORD}-city"}
    home |= {"state": f"{WORD}-state", "postal_code": f"{WORD}-code", "country": "US"}
    place = story.ask("POST", addresses, home, caller="user")["id"]
    story.ask("POST", addresses, home | {"line2": CARD, "country": WORD})
    story.ask("POST", addresses, home | {"city": [TEXT], "country": WORD})
    story.ask("PUT", f"{addresses}/{place}", home)
    story.ask("GET", f"{addresses}/{place}")
    story.ask("GET", addresses)
    story.ask("DELETE", f"{addresses}/{place}")
    for kind in ("drop_after", "429", "401", "html_502"):
        stripe.fault("attach", kind, times=2)
        story.ask("POST", methods, body)
        stripe.faults.clear()
    story.ask("DELETE", target)
    saving = MONEY | {"setup_future_usage": "off_session"}
    payment = story.ask("POST", f"{BASE}/payments/intents", saving)["id"]
    confirm = f"{BASE}/payments/confirm/{payment}"
    story.money("confirm", "POST", confirm, VISA, outcome="done", payment=payment)


def payments(story: Story, stripe: StripeSimulator) -> None:
    """The native endpoints of payments."""
    intents, body = f"{BASE}/payments/intents", MONEY | TEXTS
    by_key = {"X-Session-ID": SESSION, "Idempotency-Key": f"{CLIENT_KEY}-payments"}
    made = story.money("create", "POST", intents, body, by_key, outcome="done", caller="user")
    payment = made["id"]
    story.ask("POST", intents, body, by_key)
    story.ask("POST", intents, MONEY, by_key)
    story.ask("GET", f"{intents}/{payment}")
    story.ask("GET", f"{BASE}/payments/{made['provider_payment_id']}")
    story.ask("PUT", f"{intents}/{payment}", TEXTS | {"description": TEXT})
    change = {"total_cents": 2500} | TEXTS
    story.money("update", "PATCH", f"{intents}/{payment}", change, outcome="done")
    confirm = f"{BASE}/payments/confirm/{payment}"
    story.ask("POST", confirm, {})
    story.ask("POST", confirm, {"payment_method_id": METHOD, "return_url": URL})
    story.money("confirm", "POST", confirm, DECLINED, by_key, outcome="done", payment=payment)
    story.ask("POST", confirm, DECLINED, by_key)
    story.money("confirm", "POST", confirm, VISA, outcome="done", payment=payment)
    story.ask("POST", f"{BASE}/payments/sync/{made['provider_payment_id']}")
    story.ask("POST", f"{intents}/{payment}/sync", {"card": CARD})
    story.ask("GET", f"{BASE}/payments?customer_id={WORD}&limit=3")
    story.ask("GET", f"{BASE}/payments")
    after_the_charge(story, payment)
    guests(story)
    bad_input(story, intents)
    bad_days(story, stripe, intents)


def after_the_charge(story: Story, payment: str) -> None:
    """Refunds, and calls that are refused for a paid payment."""
    target, reason = f"{BASE}/payments/{payment}", {"reason": TEXT}
    by_key = {"X-Session-ID": SESSION, "Idempotency-Key": f"{CLIENT_KEY}-refund"}
    part = reason | {"amount_cents": 500}
    story.money("refund", "POST", f"{target}/refund", part, by_key, outcome="done")
    story.ask("POST", f"{target}/refund", part, by_key)
    story.ask("POST", f"{target}/refund", reason | {"amount_cents": CARD})
    story.ask("POST", f"{target}/cancel", reason)
    story.ask("POST", f"{target}/capture", {"amount_cents": WORD})
    story.ask("GET", f"{target}/refunds")
    story.ask("GET", f"{target}/timeline")


def webhooks(
    story: Story, stripe: StripeSimulator, worker: EventSource, payment: dict[str, str]
) -> None:
    """Signed and forged webhooks, with canaries everywhere. The queue worker handles them."""
    target, secret = f"{BASE}/webhooks/stripe", SECRETS["STRIPE_WEBHOOK_SECRET"].split()[1]
    about = {"id": payment["provider_payment_id"], "object": "payment_intent", "receipt": EMAIL}
    ours, foreign = {"payment_id": payment["id"]}, {"payment_id": f"pay_{WORD} {CARD}"}
    for number, metadata in enumerate((ours, ours, foreign, {"note": TEXT})):
        data = {"object": about | {"client_secret": f"{WORD}_secret", "metadata": metadata}}
        event = {"id": f"evt_{number}", "type": "payment_intent.succeeded", "data": data}
        body = json.dumps(event)
        signature = stripe_sdk.WebhookSignature.generate_signature_header(body, secret)
        for signed in (signature, signature[:-1] + "x", f"t=1,v1={WORD}", f"{WORD} é", ""):
            story.ask("POST", target, body.encode(), {"Stripe-Signature": signed}, caller="nobody")
        worker.drain()
    token = str(stripe.seed_method("pm_canary_with_events", None)["id"])
    story.ask("POST", f"{BASE}/payment-methods", {"token": token})
    card = {"id": token, "customer": WORD, "card": {"number": CARD}}
    stripe.fault("fetch_method", "500_before", times=2)
    for number, kind in enumerate(("updated", "updated", "detached")):
        if kind == "detached":
            stripe.dashboard_method("detach", token)
        event = {"id": f"evt_m{number}", "type": f"payment_method.{kind}", "data": {"object": card}}
        body = json.dumps(event)
        signature = stripe_sdk.WebhookSignature.generate_signature_header(body, secret)
        story.ask("POST", target, body.encode(), {"Stripe-Signature": signature}, caller="nobody")
        worker.drain()
    for body in (f"{TEXT} {CARD}", f'{{"id": ["{WORD}"]}}', "[]"):
        signature = stripe_sdk.WebhookSignature.generate_signature_header(body, secret)
        story.ask("POST", target, body.encode(), {"Stripe-Signature": signature})
    envelope = {"source": f"aws.partner/{WORD}.com", "detail": {"id": CARD, "type": TEXT}}
    references = (
        json.dumps({kind: {"token": CARD}})
        for kind in ("event_reference", "method_event_reference")
    )
    for message in (json.dumps(envelope), f"{TEXT} {CARD}", *references):
        database.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=message)
    worker.drain()


def guests(story: Story) -> None:
    """A guest pays, and lists the payments of an e-mail address."""
    intents, body = f"{BASE}/payments/intents", MONEY | TEXTS | {"guest_data": GUEST}
    made = story.money("create", "POST", intents, body, {}, outcome="done", caller="nobody")
    token = {"X-Guest-Token": made["guest_token"]}
    alias = f"{intents}/{made['id']}/confirm"
    story.money("confirm", "POST", alias, VISA, token, outcome="done", caller="guest")
    in_query = f"{BASE}/payments/{made['id']}?guest_token={made['guest_token']}"
    story.ask("GET", in_query, None, {}, caller="guest")
    story.ask("GET", f"{BASE}/payments/{made['id']}", None, {"X-Guest-Token": f"{WORD}.token"})
    for address in (GUEST_EMAIL, quote(GUEST_EMAIL), f"{WORD}%20nobody"):
        story.ask("GET", f"{BASE}/payments/guest/{address}", None, {}, caller="nobody")


def bad_input(story: Story, intents: str) -> None:
    """Requests that are refused before the provider is called."""
    for body in (
        f'{{"description": "{TEXT} {CARD}"'.encode(),
        b"\xff" + GUEST_EMAIL.encode(),
        {name: [value] for name, value in TEXTS.items()},
        MONEY
        | {"currency": WORD, "total_cents": CARD, "guest_data": {"email": f"{WORD}@", "x": 1}},
        MONEY | {"return_url": f"https://{WORD}.example/?{WORD}"},
        MONEY | {"payment_method_id": METHOD},
        MONEY | {"customer_id": f"{WORD}-customer"},
        MONEY | {"provider_id": "paypal"} | TEXTS,
        MONEY | {"total_cents": 1} | TEXTS,
        {"description": TEXT * 30_000},
    ):
        story.ask("POST", intents, body)
    story.ask("POST", intents, MONEY, {"Authorization": f"Basic {WORD}", "X-Session-ID": SESSION})
    story.ask("POST", intents, MONEY, {"X-Session-ID": f"{SESSION}-nobody"}, caller="nobody")
    story.ask("POST", intents, MONEY, {"X-Session-ID": SESSION, "Idempotency-Key": f"{WORD} key"})
    story.ask("POST", intents, TEXTS, {})
    for target in (f"/{GUEST_EMAIL}", f"{BASE}//payments/?session_id={SESSION}", f"/{WORD}/"):
        story.ask("GET", target, None, {"Authorization": f"Bearer {SESSION}"})
    for path in ("/health", "/health/live", "/health/ready"):
        story.ask("GET", f"{path}?session_id={SESSION}")


def bad_days(story: Story, stripe: StripeSimulator, intents: str) -> None:
    """A provider that fails in every way, before and after the call takes effect."""
    kinds = ["drop_after", "500_after", "truncated_body", "html_502", "429", "401", "403", "409"]
    for kind in kinds:
        lost = kind not in ("429", "401", "403")
        stripe.fault("create_payment", kind, times=2)
        story.ask("POST", intents, MONEY | TEXTS)
        stripe.faults.clear()
        payment = story.ask("POST", intents, MONEY | TEXTS)["id"]
        stripe.fault("confirm", kind, times=2)
        outcome = "unknown" if lost else "refused"
        confirm = f"{BASE}/payments/confirm/{payment}"
        body = VISA | {"return_url": URL}
        story.money("confirm", "POST", confirm, body, outcome=outcome, payment=payment)
        stripe.fault("fetch", kind, times=2)
        story.ask("POST", f"{BASE}/payments/sync/{payment}")
        stripe.fault("create_customer", kind, times=2)
        story.ask("POST", f"{BASE}/customers", {"provider_id": "stripe", "email": EMAIL})
        stripe.faults.clear()
    left = story.ask("POST", intents, MONEY | TEXTS)["id"]
    stripe.stop()
    story.ask("POST", intents, MONEY | TEXTS)
    confirm = f"{BASE}/payments/confirm/{left}"
    story.money("confirm", "POST", confirm, VISA, outcome="refused", payment=left)
    story.ask("POST", f"{BASE}/payments/sync/{left}")
    stripe.start()


def foreign_sessions(story: Story, flowless: Flowless) -> None:
    """Sessions checked at Flowless or as a JSON Web Token, with failures."""
    flowless.sessions[FLOWLESS_SESSION] = {"user_id": "user_1", "email": USER_EMAIL, "name": TEXT}
    os.environ["SESSION_MODE"] = "flowless"
    headers = {"X-Session-ID": FLOWLESS_SESSION}
    for kind in ("down", "500", "html_502", "garbage"):
        flowless.fault(kind, times=2)
        story.ask("GET", f"{BASE}/payments", None, headers, caller="nobody")
    story.ask("GET", f"{BASE}/payments", None, headers, caller="user")
    story.ask("GET", f"{BASE}/payments", None, {"X-Session-ID": f"{FLOWLESS_SESSION}-x"})
    os.environ |= {"SESSION_MODE": "jwt", "JWT_ISSUER": WORD, "JWT_AUDIENCE": WORD}
    for url in ("", "http://127.0.0.1:1/canary"):
        os.environ["JWKS_URL"] = url
        bearer = {"Authorization": f"Bearer {FLOWLESS_SESSION}"}
        story.ask("GET", f"{BASE}/payments", None, bearer, caller="nobody")
    os.environ["SESSION_MODE"] = "table"


def credentials(story: Story, invoke: Callable[[str, dict[str, Any]], Any]) -> None:
    """A secret that a response contains is a canary from then on."""
    organization = {"organization_id": "org_1"}
    for kind in ("api_key", "merchant", "oauth_client"):
        made = invoke("OperationsCreateCredential", {"kind": kind} | organization)
        story.canaries |= set(made["to_send"].values())
        assert invoke("OperationsListCredentials", organization)["ok"]
        which = organization | {"credential_id": made["credential"]["id"]}
        assert invoke("OperationsRevokeCredential", which)["ok"]
    assert not invoke("OperationsCreateCredential", {"kind": WORD} | organization)["ok"]
    assert not invoke("OperationsRevokeCredential", organization | {"credential_id": CARD})["ok"]


def shops(story: Story, invoke: Callable[[str, dict[str, Any]], Any]) -> None:
    """The payments.ai endpoints, with canaries in every field, and with wrong requests."""
    made = invoke("OperationsCreateCredential", {"kind": "api_key", "organization_id": "org_1"})
    key = made["to_send"]["api_key"]
    story.canaries.add(key)
    by_key = {"Authorization": f"ApiKey {key}", "Idempotency-Key": f"{CLIENT_KEY}-shops"}
    alias = {"REB-APIKEY": key}
    shop = "/v1/public-api/organizations/org_1"
    schema = {"type": "string", "additionalSchema": {"pattern": f"{WORD}.*", "default": WORD}}
    field: dict[str, object] = {"name": f"{WORD} field", "resource": "customers"}
    defined = field | {"description": TEXT, "typeSchema": schema}
    story.ask("POST", f"{shop}/custom-fields", defined, by_key, caller="key")
    story.ask("POST", f"{shop}/custom-fields", field | {"resource": WORD}, by_key)
    field_target = f"{shop}/custom-fields/customers/{quote(f'{WORD} field')}"
    story.ask("PUT", field_target, schema, alias)
    story.ask("PUT", field_target, schema | {"type": "date"}, alias)
    for target in (f"{shop}/custom-fields", f"{shop}/custom-fields/customers", field_target):
        story.ask("GET", target, None, alias)
    body: dict[str, object] = {"firstName": TEXT, "email": EMAIL, "phoneNumber": PHONE}
    body |= {"metadata": METADATA, "address": {"address1": f"{WORD} street"}}
    values = {"customFields": {f"{WORD} field": f"{WORD} value"}}
    customer = story.ask("POST", f"{shop}/customers", body | values, by_key, caller="key")["id"]
    story.ask("POST", f"{shop}/customers", body | values, by_key)
    story.ask("POST", f"{shop}/customers", body, by_key)
    story.ask("POST", f"{shop}/customers/", {"customFields": {CARD: WORD}}, alias)
    story.ask("POST", f"{shop}/customers/", {"email": f"{WORD}@", "language": WORD}, alias)
    story.ask("POST", f"{shop}/customers/", f'{{"firstName": "{TEXT}"'.encode(), alias)
    story.ask("GET", f"{shop}/customers?search={quote(TEXT)}", None, alias)
    story.ask("GET", f"{shop}/customers?limit={CARD}&sort={WORD}", None, alias)
    target = f"{shop}/customers/{customer}"
    story.ask("GET", target, None, alias)
    story.ask("GET", target, None, {"Authorization": f"ApiKey {WORD}"}, caller="nobody")
    story.ask("GET", f"{target[:-26]}{WORD}", None, alias)
    story.ask("PUT", target, {"email": NEW_EMAIL}, alias)
    story.ask("PATCH", target, {"id": CARD, "lastName": [TEXT]}, alias)
    instruments = f"{target}/payment-instruments"
    by_other = by_key | {"Idempotency-Key": f"{CLIENT_KEY}-instruments"}
    instrument = story.ask("POST", instruments, {"token": "pm_card_visa"}, by_other)["id"]
    story.ask("POST", instruments, {"token": f"{WORD} {CARD}"}, alias)
    story.ask("GET", f"{instruments}?limit={WORD}", None, alias)
    story.ask("GET", instruments, None, alias)
    story.ask("GET", f"{instruments}/{instrument}", None, alias)
    story.ask("PUT", target, {"defaultPaymentInstrumentId": CARD}, alias)
    story.ask("DELETE", f"{instruments}/{instrument}", None, alias)
    story.ask("DELETE", f"{target}?targetCustomerId={WORD}", None, alias)
    story.ask("PUT", target, {"email": EMAIL}, alias)
    story.ask("GET", f"{shop.replace('org_1', f'{WORD}-org')}/customers", None, alias)
    story.ask("GET", f"{shop}/{WORD}?search={quote(TEXT)}", None, alias)


def merchants(story: Story, invoke: Callable[[str, dict[str, Any]], Any]) -> None:
    """The Monri endpoints, by digest and by token, with right and wrong requests."""
    made = invoke("OperationsCreateCredential", {"kind": "merchant", "organization_id": "org_1"})
    name, key = made["to_send"].values()
    story.canaries |= {name, key}
    grant = {"client_id": name, "client_secret": key, "grant_type": "client_credentials"}
    token = story.ask("POST", "/v2/oauth", grant, {}, caller="nobody")["access_token"]
    story.ask("POST", "/v2/oauth", grant | {"client_secret": f"{WORD}-key"}, {})
    story.ask("POST", "/v2/oauth", grant | {"grant_type": WORD, "scopes": [CARD, 7]}, {})
    bearer = {"Authorization": f"Bearer {token}"}
    external_id = f"{WORD} crm/7"
    texts: dict[str, object] = {"name": TEXT, "phone": PHONE, "email": EMAIL}
    body = texts | {"merchant_customer_id": external_id, "metadata": METADATA}
    customer = story.ask("POST", "/v2/customers", body, bearer, caller="key")["uuid"]
    story.ask("POST", "/v2/customers", body, bearer, caller="key")
    story.ask("POST", "/v2/customers", {"name": f"{CARD} " * 9, "country": WORD}, bearer)
    story.ask("POST", "/v2/customers", f'{{"name": "{TEXT}"'.encode(), bearer)
    story.ask("GET", f"/v2/customers?limit={CARD}&offset={WORD}", None, bearer)
    story.ask("GET", "/v2/customers?limit=5", None, bearer)
    found = f"/v2/merchants/customers/{quote(external_id, safe='')}"
    at = str(clock.seconds())
    signed = access.digest_of(key, at, name, found, b"")
    story.canaries.add(signed)
    by_digest = {"Authorization": f"WP3-v2.1 {name} {at} {signed}"}
    story.ask("GET", found, None, by_digest, caller="key")
    story.ask("GET", f"{found}-{WORD}", None, by_digest)
    target = f"/v2/customers/{customer}"
    story.ask("GET", target, None, bearer, caller="key")
    story.ask("GET", f"{target}/payment-methods", None, bearer, caller="key")
    story.ask("POST", target, {"metadata": {f"{WORD}-key": None}, "phone": f"{PHONE} 2"}, bearer)
    story.ask("DELETE", target, None, bearer, caller="key")
    story.ask("POST", target, {"name": TEXT}, bearer)
    story.ask("GET", f"/v2/customers/{WORD}", None, bearer)
    story.ask("GET", f"/v2/{WORD}?name={quote(TEXT)}", None, bearer)


def alternative_payments(story: Story, invoke: Callable[[str, dict[str, Any]], Any]) -> None:
    """The Alternative Payments endpoints with a token, with right and wrong requests."""
    new = {"kind": "oauth_client", "organization_id": f"{WORD}-org"}
    made = invoke("OperationsCreateCredential", new)["to_send"]
    pair = f"{made['client_id']}:{made['client_secret']}"
    basic = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    story.canaries |= {*made.values(), pair}
    story.ask("POST", "/oauth/token", f"grant_type={WORD}".encode(), basic)
    story.ask("POST", "/oauth/token", b"", {"Authorization": f"Basic {WORD}"}, caller="nobody")
    token = story.ask("POST", "/oauth/token", b"grant_type=client_credentials", basic)
    bare = {"Authorization": token["access_token"]}
    story.canaries.add(token["access_token"])
    body = {"name": TEXT, "email": EMAIL, "external_id": f"{WORD}-external"}
    customer = story.ask("POST", "/customers", body, bare, caller="key")
    target = f"/customers/{customer['id']}"
    person = {"first_name": TEXT, "phone": PHONE, "job_title": f"{WORD}-job", "email": NEW_EMAIL}
    story.ask("POST", f"{target}/users", person, bare)
    story.ask("POST", f"{target}/users", {"phone": CARD * 2, "email": [NEW_EMAIL]}, bare)
    story.ask("POST", f"{target}/users", {"phone": CARD * 2}, bare)
    story.ask("GET", f"{target}/users?after={WORD}", None, bare)
    story.ask("GET", f"{target}/users", None, bare)
    story.ask("GET", f"{target}/payment-methods", None, bare)
    story.ask("GET", f"/customers?company_name={WORD}&created_at_start={WORD}", None, bare)
    story.ask("GET", f"/customers?company_name={quote(TEXT)}", None, bare)
    story.ask("GET", f"/customers/{WORD}", None, {"Authorization": f"Bearer {SESSION}"})
    story.ask("GET", f"/customers/{WORD}/{WORD}", None, bare)
    story.ask("GET", target, None, bare)
    story.ask("DELETE", target, None, bare)


def operators(invoke: Callable[[str, dict[str, Any]], Any], payment_id: str) -> None:
    """The functions for operators, and the jobs."""
    session = {"session_id": f"{SESSION}-2", "user_id": "user_2", "email": USER_EMAIL, "name": TEXT}
    expires = {"expires_at": "2099-01-01T00:00:00Z", "organizations": {"org_1": "admin"}}
    assert invoke("OperationsPutSession", session | expires)["ok"]
    assert not invoke("OperationsPutSession", session | {"expires_at": f"{WORD}-at"})["ok"]
    assert invoke("OperationsRevokeSession", {"session_id": f"{SESSION}-2"})["ok"]
    for name in ("OperationsInspectPayment", "OperationsSynchronizePayment"):
        assert invoke(name, {"payment_id": payment_id})["ok"]
        assert not invoke(name, {"payment_id": f"{WORD} {CARD}"})["ok"]
    for name in ("JobsSweepPayments", "JobsReadEventLog", "JobsReconcilePayments"):
        invoke(name, {})
    keys = {"pk": {"S": f"P#{payment_id.removeprefix('pay_')}"}, "sk": {"S": "H#0000000001"}}
    batch = {"Records": [{"eventName": "INSERT", "dynamodb": {"Keys": keys}}]}
    assert invoke("JobsDeliverEvents", batch)["events"]
    again = {"payment_id": payment_id, "from_sequence": 1}
    assert invoke("OperationsReplayEvents", again)["ok"]
    assert not invoke("OperationsReplayEvents", again | {"from_sequence": f"{CARD}"})["ok"]
    os.environ["CASCADE_PAYMENTS"] = "1"
    assert invoke("JobsFinishDeletion", {})["finished"]


def our_own_bad_days(story: Story) -> None:
    """The database cannot be reached; a table is missing (unexpected); the secrets are missing."""
    there = os.environ["DYNAMODB_ENDPOINT"]
    os.environ["DYNAMODB_ENDPOINT"] = "http://127.0.0.1:1"
    aws.client.cache_clear()
    intents, guest = f"{BASE}/payments/intents", MONEY | TEXTS | {"guest_data": GUEST}
    by_key = {"Idempotency-Key": CLIENT_KEY}
    story.ask("POST", intents, MONEY | TEXTS)
    story.ask("POST", intents, guest, by_key)
    story.ask("GET", f"{BASE}/payments/guest/{GUEST_EMAIL}", None, {})
    story.ask("GET", f"/health?session_id={SESSION}")
    os.environ["DYNAMODB_ENDPOINT"] = there
    aws.client.cache_clear()
    database.client().delete_table(TableName=os.environ["EPHEMERAL_TABLE"])
    story.ask("POST", intents, guest, by_key, broken=True)
    os.environ["SECRETS_PREFIX"] = "/bridge/nowhere"
    ssm.forget_secrets()
    token = {"X-Guest-Token": f"k1.{WORD}.token"}
    story.ask("GET", f"{BASE}/payments", None, token)
    story.ask("POST", intents, MONEY | TEXTS)
    story.ask("POST", f"{BASE}/webhooks/stripe", TEXTS, {"Stripe-Signature": f"t=1,v1={WORD}"})


def run_story(stripe: StripeSimulator, flowless: Flowless) -> Story:
    """Start everything, and make all calls."""
    read = template.read(parameters=settings.parameters({}, "http://127.0.0.1:8787"))
    urls = {"aws": database.serve(), "dynamodb": database.start()}
    urls |= {"stripe": stripe.url, "flowless": flowless.url}
    urls["queue"] = queues.start(read.queues)["SyncQueue"]
    settings.leave_aws(os.environ)
    os.environ.update(settings.variables(read.environment, os.environ, urls))
    del os.environ["POWERTOOLS_METRICS_DISABLED"]
    for name, value in SECRETS.items():
        path = f"{os.environ['SECRETS_PREFIX']}/{name}"
        database.client("ssm").put_parameter(Name=path, Value=value, Type="SecureString")
    functions = Functions(read.functions)
    story = Story(Gateway(read, functions), canaries=set(FIXED))
    synced = read.functions["JobsProcessQueueMessage"]
    worker = EventSource(functions, synced, synced.polls[0], urls["queue"])
    session = {"session_id": SESSION, "user_id": "user_1", "email": USER_EMAIL, "name": TEXT}
    functions.invoke("OperationsPutSession", session | {"expires_at": "2099-01-01T00:00:00Z"})
    logging.getLogger("somebody.elses.sdk").info("said at INFO")
    customers(story)
    saved_methods(story, stripe)
    payments(story, stripe)
    foreign_sessions(story, flowless)
    payment = story.ask("GET", f"{BASE}/payments?limit=1")[0]
    operators(functions.invoke, payment["id"])
    credentials(story, functions.invoke)
    shops(story, functions.invoke)
    merchants(story, functions.invoke)
    alternative_payments(story, functions.invoke)
    webhooks(story, stripe, worker, payment)
    our_own_bad_days(story)
    return story


FIXED = {
    *(SESSION, FLOWLESS_SESSION, CLIENT_KEY, USER_EMAIL, GUEST_EMAIL, EMAIL, NEW_EMAIL),
    *(
        CARD,
        PHONE,
        TEXT,
        WORD,
        METHOD,
        METHOD_TOKEN,
        URL,
        "canary-return",
        *SECRETS.values(),
        "canary",
    ),
}

if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(name)s %(message)s")
    with (
        serving(StripeSimulator()) as one,
        serving(Flowless(secret=SECRETS["BRIDGE_VALIDATION_SECRET"])) as other,
    ):
        finished = run_story(one, other)
    Path(sys.argv[1]).write_text(
        json.dumps({"calls": finished.calls, "canaries": sorted(finished.canaries)})
    )
