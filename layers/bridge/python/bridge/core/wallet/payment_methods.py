"""Saved payment methods: attach, read, change, choose, delete; and whose a named one is (B18).

Source: contracts/bridge.md section 5.
"""

from dataclasses import dataclass

from bridge import clock
from bridge.core.customers import organization_customers, payers, user_customers
from bridge.core.rules import access, idempotency, immutable_fields
from bridge.core.wallet import optimistic_update
from bridge.errors import Detail, InvalidRequest, NotAuthenticated, NotFound, Refused
from bridge.models import identifier
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.identifier import new_id, suffix
from bridge.models.job import Job
from bridge.models.page import Page
from bridge.models.payment_method import MethodChange, MethodResult, NewMethod, PaymentMethod
from bridge.models.provider import ProviderId, ProviderMethod
from bridge.models.run_context import ClientKey, RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.customers import customer_items
from bridge.store.dedupe import idempotency_items
from bridge.store.wallet import address_items, method_items

FIXED_FIELDS = ("id", "customer_id", "provider_id", "provider_payment_method_id", "type")
SUBJECT = "payment methods"


@dataclass(frozen=True)
class Resolved:
    """A token for the provider. `customer` owns the method where it is a saved one of ours."""

    token: str
    customer: Customer | None = None


def resolve(caller: Caller, method_id: str, provider_id: ProviderId) -> Resolved:
    """Raises NotFound for somebody else's method, Forbidden for one that the caller's role only
    reads, InvalidRequest for another provider's, or for a card that has expired."""
    known = identifier.is_well_formed(method_id)
    method, owner = method_items.get(method_id) if known else (None, None)
    if method is None:
        return Resolved(token=method_id)
    customer = access.visible(owner, caller)
    if not caller.is_user:  # a guest may only use the provider's own tokens
        raise NotFound
    access.check_writable(customer, caller)
    if customer.state != "active" or method.state != "active":
        raise NotFound
    if method.provider_id != provider_id:
        raise InvalidRequest(
            "payment_method_id belongs to another provider",
            details=[Detail("payment_method_id", f"is a method at {method.provider_id}")],
        )
    if method.is_expired(clock.now()):
        raise InvalidRequest(
            "the card behind payment_method_id has expired",
            details=[Detail("payment_method_id", "has expired")],
        )
    return Resolved(token=method.token or "", customer=customer)


def create_method(caller: Caller, new: NewMethod, run: RunContext) -> MethodResult:
    """Attach a provider's token to a customer there, then keep it, in one transaction.

    After a crash in between the provider takes the same token again, and so do we: one that is
    saved already is answered as it is. A client's key is reserved first, with the id.

    Raises InvalidRequest, NotAuthenticated, Forbidden, NotFound,
    Conflict `idempotency_in_progress`, NotExecuted, UnknownOutcome.
    """
    _check_no_guest(caller)
    registry.check_open(new.provider_id)
    access.check_writer(caller, new.organization_id)
    method_id, record = new_id("pm", clock.now()), None
    if run.client_key:
        place = _record_of(caller, run.client_key)
        record = idempotency.reserve(place, run.client_key, method_id, run)
        if record.state == "done":
            return MethodResult(method=_stored_result(record), replayed=True)
        method_id = record.subject_id
    with idempotency.released_on_error(record):
        return _attach(caller, new, method_id, record, run)


def _record_of(caller: Caller, client_key: ClientKey) -> str:
    if caller.key_of is not None:
        return idempotency_items.of_organization(caller.key_of, client_key.key)
    return idempotency_items.of_creation(client_key.key, user_id=caller.user_id, email=None)


def _check_no_guest(caller: Caller) -> None:
    """Raises NotAuthenticated: a guest's token opens a record, and nothing that is saved for it."""
    if caller.guest_of is not None:
        raise NotAuthenticated("a session is required")


def _stored_result(record: IdempotencyRecord) -> PaymentMethod:
    """The stored answer, with its token afresh."""
    stored = PaymentMethod.model_validate_json(record.stored_response)
    return stored.model_copy(update={"token": method_items.get_token(stored.id)})


def _attach(
    caller: Caller,
    new: NewMethod,
    method_id: str,
    record: IdempotencyRecord | None,
    run: RunContext,
) -> MethodResult:
    sought = payers.Sought(new.provider_id, new.organization_id, new.customer_id)
    customer = payers.holder(caller, sought, run)
    _check_address(new.billing_address_id, customer)
    provider = registry.open_provider(new.provider_id)
    try:
        kept = provider.attach_method(
            new.provider_token, customer.provider_customer_id or "", ends_at=run.ends_at
        )
    except Refused as refusal:
        details = [Detail(new.token_name, str(refusal))]
        raise InvalidRequest(str(refusal), details=details) from refusal
    for _ in range(optimistic_update.WALLET_WRITE_TRIES):
        method = _made(method_id, new, kept, customer)
        try:
            method_items.insert(method, customer, _closed(record, method))
            return MethodResult(method=method)
        except method_items.AlreadySaved as saved:
            return _known(saved.method_id, new, record)
        except dynamodb.VersionConflict:
            customer = _again(customer)
            _check_address(new.billing_address_id, customer)
    raise optimistic_update.contended(SUBJECT)


def _check_address(address_id: str | None, customer: Customer) -> None:
    """Raises InvalidRequest for an address that is not this customer's."""
    if address_id is None:
        return
    known = identifier.is_well_formed(address_id)
    address, _ = address_items.get(address_id) if known else (None, None)
    if address is None or address.customer_id != customer.id:
        raise InvalidRequest(
            "billing_address_id is no address of this customer",
            details=[Detail("billing_address_id", "is no address of this customer")],
        )


def _made(
    method_id: str, new: NewMethod, kept: ProviderMethod, customer: Customer
) -> PaymentMethod:
    now = clock.now()
    return PaymentMethod(
        id=method_id,
        uid=suffix(method_id),
        customer_id=customer.id,
        provider_id=new.provider_id,
        alias=new.alias,
        billing_address_id=new.billing_address_id,
        metadata=new.metadata,
        is_default=new.is_default or customer.default_method_id is None,
        created_at=now,
        updated_at=now,
        **kept.model_dump(),
    )


def _closed(record: IdempotencyRecord | None, method: PaymentMethod) -> IdempotencyRecord | None:
    if record is None:
        return None
    snapshot = method.model_dump_json()
    return record.model_copy(update={"state": "done", "snapshot": snapshot})


def _known(method_id: str, new: NewMethod, record: IdempotencyRecord | None) -> MethodResult:
    """What the token was saved as before: by another request, a payment, or an earlier run."""
    method, _ = method_items.get(method_id)
    if method is None or method.state != "active":
        message = "this payment method was deleted and cannot be used again"
        raise InvalidRequest(message, details=[Detail(new.token_name, "was deleted")])
    if closed := _closed(record, method):
        idempotency_items.close(closed)
    is_ours = record is not None and record.subject_id == method.id
    return MethodResult(method=method, replayed=is_ours)


def _again(seen: Customer) -> Customer:
    """The customer as it is now. Raises NotFound when it was deleted meanwhile."""
    customer = customer_items.get(seen.id)
    if customer is None or customer.state != "active":
        raise NotFound
    return customer


def get_method(caller: Caller, method_id: str) -> PaymentMethod:
    """Raises NotFound, also for a deleted one."""
    return _find(caller, method_id)[0]


def _find(caller: Caller, method_id: str) -> tuple[PaymentMethod, Customer]:
    """Raises NotFound."""
    known = identifier.is_well_formed(method_id) and caller.guest_of is None
    method, owner = method_items.get(method_id, caller.prefetched) if known else (None, None)
    customer = access.visible(owner, caller)
    if method is None or "deleted" in (method.state, customer.state):
        raise NotFound
    return method, customer


def list_methods(caller: Caller, page: Page) -> list[PaymentMethod]:
    """The caller's own, an organization's, or one customer's, newest first. Raises Forbidden."""
    if page.customer_id:
        return list_of_customer(caller, page.customer_id, page)
    user_id = access.user_of(caller)
    if page.organization_id:
        access.check_member(caller, page.organization_id)
        return method_items.list_of_organization(page.organization_id, page)
    return method_items.list_of_user(user_id, page)


def list_of_customer(caller: Caller, customer_id: str, page: Page) -> list[PaymentMethod]:
    """Raises NotFound, also for a deleted customer; NotAuthenticated for a guest's token."""
    _check_no_guest(caller)
    return method_items.list_of_customer(user_customers.get_customer(caller, customer_id), page)


def list_for_key(caller: Caller, customer_id: str) -> list[PaymentMethod]:
    """All that one customer of the organization has, without tokens, for its own keys: the default
    one first, then the newest. Of a deleted customer, what is left. Raises NotFound."""
    methods = method_items.list_active(organization_customers.get(caller, customer_id))
    return sorted(methods, key=lambda method: not method.is_default)


def update_method(caller: Caller, method_id: str, change: MethodChange) -> PaymentMethod:
    """Change what was sent; the provider knows none of it.

    Raises NotFound, Forbidden, InvalidRequest `immutable_field`.
    """
    given = change.model_dump(exclude_none=True)

    def act(method: PaymentMethod, customer: Customer) -> PaymentMethod:
        stored = method.model_dump() | {"provider_payment_method_id": method.token}
        immutable_fields.check(given, stored, FIXED_FIELDS)
        _check_address(change.billing_address_id, customer)
        changes = {name: value for name, value in given.items() if name not in FIXED_FIELDS}
        after = method.model_copy(update=changes | {"updated_at": clock.now()})
        if changes:
            method_items.update(method, after, customer)
        return after if changes else method

    return optimistic_update.change(caller, method_id, _find, act, SUBJECT)


def set_default(caller: Caller, method_id: str) -> PaymentMethod:
    """Let this be the one method that its customer pays with. Raises NotFound, Forbidden."""
    return update_method(caller, method_id, MethodChange(is_default=True))


def delete_method(caller: Caller, method_id: str) -> None:
    """Ours first; a job then takes it from the provider. The newest one left becomes the default,
    if this was it. Raises NotFound, Forbidden."""
    optimistic_update.change(caller, method_id, _find, detach_method, SUBJECT)


def detach_method(method: PaymentMethod, customer: Customer) -> PaymentMethod:
    """Delete a method that is as it was seen. Raises Outrun, Congested."""
    now = clock.now()
    default = customer.default_method_id
    if default == method.id:
        left = method_items.list_active(customer)
        default = next((each.id for each in left if each.id != method.id), None)
    gone = method.model_copy(update={"state": "deleted", "updated_at": now})
    job = Job(
        id=new_id("job", now),
        customer_id=customer.id,
        method_id=method.id,
        stage="method",
        due_at=int(now.timestamp()),
    )
    method_items.delete(method, gone, customer, default, job)
    return gone
