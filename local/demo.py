"""Demo data, so that the requests in the APIs' documents work as printed.

It is made with the use cases and the provider adapter, so that our records and the simulator's
agree. Source: docs/architecture.md, section 4.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from bridge import clock
from bridge.bodies.payment import Confirmation, NewPayment
from bridge.core.payment_state import attempts, synchronize
from bridge.core.payments import change_payment
from bridge.models.address import Address
from bridge.models.caller import Caller, Session
from bridge.models.credential import Credential, CredentialKind
from bridge.models.custom_field import CustomField
from bridge.models.customer import Customer
from bridge.models.identifier import new_id, suffix
from bridge.models.payment import AttemptOutcome, CaptureMethod, Payment
from bridge.models.payment_method import PaymentMethod
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store.access import credential_items, session_items
from bridge.store.customers import custom_field_items, customer_items, organization_items
from bridge.store.payments import payment_writes
from bridge.store.wallet import address_items, method_items
from local.flowless import Flowless
from local.stripe.simulator import StripeSimulator

JANE = {"user_id": "user_456", "email": "jane.doe@example.com", "name": "Jane Doe"}
SESSIONS: dict[str, dict[str, object]] = {
    "session_abc123": JANE | {"organizations": {"org_456": "admin", "org_789": "admin"}},
    "session_def456": {
        "user_id": "user_789",
        "email": "john.roe@example.com",
        "name": "John Roe",
        "organizations": {},
    },
}
LIFE = timedelta(days=365)
# The credentials of org_456: id, kind, name, secret. Names and secrets are those of the documents.
CREDENTIALS: tuple[tuple[str, CredentialKind, str, str | None], ...] = (
    ("cred_demo_key", "api_key", "acct_demo_key_demo", None),
    ("cred_demo_static_key", "api_key", "YOUR_API_KEY", None),
    ("cred_demo_merchant", "merchant", "demo-authenticity-token", "demo-merchant-key"),
    ("cred_demo_client", "oauth_client", "demo-client", "demo-secret"),
)

COMPANY = "01kghch8h0frsaj9kmjnbzfytr"  # its time is the `created_at` below


def seed(stripe: StripeSimulator, flowless: Flowless) -> None:
    """Put the demo data into empty tables and simulators."""
    for session_id, session in SESSIONS.items():
        lasting = session | {"expires_at": clock.now() + LIFE}
        session_items.put(session_id, msgspec.convert(lasting, Session))
        flowless.sessions[session_id] = lasting
    for identifier, kind, name, secret in CREDENTIALS:
        _credential(identifier, kind, name, secret)
    customer = _customer("cust_456", "Jane", "Smith", datetime(2025, 1, 10, 8, 20, tzinfo=UTC))
    _customer("cust_123", "John", "Doe", datetime(2025, 1, 15, 10, 30, tzinfo=UTC))
    _company()
    _organizations_customer(stripe, "cust_01kjpx8se0eassyq0akmxqwk11")
    # Not for cust_123, because the first document deletes that customer at its end.
    _method(stripe, customer, "pm_saved_card_123", _uid(clock.now()))
    _address(customer)
    _customer_of_organization()
    _payment(stripe, customer, "pay_123", "pi_stripe_abc123")
    _payment(stripe, customer, "pay_456", "pi_stripe_def456", capture_method="manual")


def _credential(identifier: str, kind: CredentialKind, name: str, secret: str | None) -> None:
    credential = Credential(
        id=identifier,
        kind=kind,
        organization_id="org_456",
        ends_with=name[-4:],
        created_at=clock.now(),
    )
    credential_items.insert(credential, name, secret)


def _run() -> RunContext:
    return RunContext(cause="api", ends_at=clock.now() + timedelta(seconds=25))


def _uid(at: datetime) -> str:
    """The text by which lists are sorted. The demo ids do not contain their time."""
    return suffix(new_id("demo", at))


def _customer(identifier: str, first: str, last: str, at: datetime) -> Customer:
    customer = Customer(
        id=identifier,
        uid=_uid(at),
        provider_id="stripe",
        email=f"{first}.{last}@example.com".lower(),
        name=f"{first} {last}",
        name_is_derived=True,
        first_name=first,
        last_name=last,
        user_id="user_456",
        created_at=at,
        updated_at=at,
    )
    return _at_stripe(customer)


def _at_stripe(customer: Customer) -> Customer:
    """Create the customer at the simulator and store it."""
    provider = registry.open_provider("stripe")
    made = provider.create_customer(customer, key=f"{customer.id}.c", ends_at=_run().ends_at)
    customer = replace(customer, provider_customer_id=made)
    customer_items.insert(customer, None)
    return customer


def _organizations_customer(stripe: StripeSimulator, identifier: str) -> None:
    """A customer of org_456 at payments.ai, with a payment instrument, and a custom field."""
    at = datetime(2026, 3, 2, 9, 15, 4, tzinfo=UTC)
    customer = Customer(
        id=identifier,
        uid=suffix(identifier),
        provider_id="stripe",
        email="nadia.okoro@example.com",
        name="Nadia Okoro",
        name_is_derived=True,
        first_name="Nadia",
        last_name="Okoro",
        phone="+44 20 7946 0011",
        organization_id="org_456",
        created_at=at,
        updated_at=at,
    )
    customer = _at_stripe(customer)
    instrument = "pm_01kjpx9b4vfkhr0f2q3g5m7n8p"
    _method(stripe, customer, instrument, suffix(instrument))
    field = {"name": "shirtSize", "resource": "customers", "description": "", "type": "string"}
    defined = msgspec.convert(field | {"created_at": at, "updated_at": at}, CustomField)
    custom_field_items.insert("org_456", defined)


def _customer_of_organization() -> None:
    """A customer of org_456 at Monri. Its UUID is 019b76da-a800-7b7a-8c21-5e0f7ad94b10."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    customer = Customer(
        id="cust_01kdvdna00fdx8r8ay1xxdjjrg",
        uid="01kdvdna00fdx8r8ay1xxdjjrg",
        organization_id="org_456",
        shard=organization_items.shard_of("org_456", "01kdvdna00fdx8r8ay1xxdjjrg"),
        name="Lejla Kovač",
        external_id="crm-1001",
        claims_external_id=True,
        address={"country": "BA"},
        created_at=at,
        updated_at=at,
    )
    customer_items.insert(customer, None)


def _company() -> None:
    """A customer of org_456 at Alternative Payments."""
    at = datetime(2026, 2, 3, 9, 15, tzinfo=UTC)
    company = Customer(
        id=f"cust_{COMPANY}",
        uid=COMPANY,
        organization_id="org_456",
        name="Harbor Dental LLC",
        email="ap@harbor.example",
        external_id="erp-77",
        claims_external_id=True,
        created_at=at,
        updated_at=at,
    )
    customer_items.insert(company, None)


def _method(stripe: StripeSimulator, customer: Customer, identifier: str, uid: str) -> None:
    saved = stripe.seed_method(identifier, customer.provider_customer_id)
    card, now = saved["card"], clock.now()
    assert isinstance(card, dict)
    method = msgspec.convert(
        {
            "id": identifier,
            "uid": uid,
            "customer_id": customer.id,
            "provider_id": "stripe",
            "brand": card["brand"],
            "last4": card["last4"],
            "exp_month": card["exp_month"],
            "exp_year": card["exp_year"],
            "token": saved["id"],
            "created_at": now,
            "updated_at": now,
        },
        PaymentMethod,
    )
    method_items.insert(method, customer, None)


def _address(customer: Customer) -> None:
    now = clock.now()
    address = Address(
        id="addr_123",
        uid=_uid(now),
        customer_id=customer.id,
        type="billing",
        name=customer.name,
        line1="1 Main Street",
        city="Springfield",
        state="IL",
        postal_code="62701",
        country="US",
        is_default=True,
        created_at=now,
        updated_at=now,
    )
    owner = customer_items.get(customer.id)
    assert owner is not None
    address_items.insert(address, owner, None)


def _payment(
    stripe: StripeSimulator,
    customer: Customer,
    identifier: str,
    provider_payment_id: str,
    capture_method: CaptureMethod = "automatic",
) -> None:
    """Create a payment under its lock, settle it with the simulator's state, and confirm it."""
    run, now = _run(), clock.now()
    new = NewPayment(total_cents=2000, currency="USD", concept="Premium Subscription")
    payment = Payment(
        id=identifier,
        uid=_uid(now),
        user_id="user_456",
        customer_id=customer.id,
        provider_customer_id=customer.provider_customer_id,
        payment_method_id="pm_saved_card_123",
        subtotal_cents=2000,
        tax_cents=0,
        discount_cents=0,
        total_cents=2000,
        currency="USD",
        provider_id="stripe",
        concept=new.concept,
        capture_method=capture_method,
        changed_at=now,
        created_at=now,
        updated_at=now,
    )
    request = attempts.request_hash("create", new.model_dump_json(exclude_unset=True))
    locked = attempts.lock_for(payment, "create", request, run)
    locked = payment_writes.insert_locked(locked, None, customer_items.lives(customer.id))
    made = stripe.seed_payment(
        provider_payment_id,
        amount=2000,
        currency="usd",
        customer=customer.provider_customer_id or "",
        metadata={"payment_id": payment.id},
        automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
        **({"capture_method": "manual"} if capture_method == "manual" else {}),
    )
    known = replace(locked, provider_payment_id=made["id"])
    provider_state = registry.open_provider("stripe").fetch_payment(known, ends_at=run.ends_at)
    synchronize.record_outcome(locked, provider_state, AttemptOutcome(attempt=1, kind="done"), run)
    owner = Caller(user_id="user_456", email=customer.email)
    change_payment.confirm(owner, payment.id, Confirmation(), run)
