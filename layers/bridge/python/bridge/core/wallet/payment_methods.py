"""Saved payment methods: attach, read, change, make default, delete; and find one for a payment.

Source: docs/api/native.md, section 5.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bridge import clock
from bridge.core.customers import organization_customers, payers, user_customers
from bridge.core.rules import access, idempotency, immutable_fields
from bridge.core.rules.idempotency import Creation
from bridge.core.wallet import optimistic_update
from bridge.errors import Detail, InvalidRequest, NotAuthenticated, NotFound, Refused
from bridge.models import identifier
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.identifier import new_id, suffix
from bridge.models.job import Job
from bridge.models.model import values_of
from bridge.models.page import Page
from bridge.models.payment_method import MethodResult, PaymentMethod
from bridge.models.provider import ProviderId, ProviderMethod
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.customers import customer_items
from bridge.store.dedupe import idempotency_items
from bridge.store.wallet import address_items, method_items

if TYPE_CHECKING:
    from bridge.bodies.payment_method import MethodChange, NewMethod

SUBJECT = "payment methods"


class Resolved(Struct, frozen=True):
    """The provider's token of a method. `customer`: the owner, if the method is a saved one."""

    token: str
    customer: Customer | None = None


def resolve(caller: Caller, method_id: str, provider_id: ProviderId) -> Resolved:
    """Return the provider's token for a `payment_method_id` in a request (B18).

    An id that is not a saved method of ours is taken as a token of the provider.
    Raises NotFound for a method that is not the caller's, Forbidden if the caller's role only
    reads, InvalidRequest for a method at another provider or an expired card.
    """
    known = identifier.is_well_formed(method_id)
    method, owner = method_items.get(method_id) if known else (None, None)
    if method is None:
        return Resolved(token=method_id)
    customer = access.visible(owner, caller)
    if not caller.is_user:  # a guest may use only tokens of the provider
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


def create_method(caller: Caller, new: "NewMethod", run: RunContext) -> MethodResult:
    """Attach a provider's token to its customer at the provider, then save it in one transaction.

    After a crash in between, a retry is safe: the provider accepts the same token again, and a
    token that is already saved returns the saved method. A client's key is reserved first, together
    with the method's id.

    Raises InvalidRequest, NotAuthenticated, Forbidden, NotFound, Conflict `idempotency_key_reused`
    or `idempotency_in_progress`, NotExecuted, UnknownOutcome, TemporarilyUnavailable.
    """
    _check_no_guest(caller)
    registry.check_open(new.provider_id)
    access.check_writer(caller, new.organization_id)
    place = partial(_record_key, caller)
    with idempotency.creation(place, new_id("pm", clock.now()), run) as creation:
        if creation.stored_response:
            return MethodResult(method=_stored_result(creation.stored_response), replayed=True)
        return _attach(caller, new, creation, run)


def _record_key(caller: Caller, client_key: str) -> str:
    if caller.key_of is not None:
        return idempotency_items.of_organization(caller.key_of, client_key)
    return idempotency_items.of_creation(client_key, user_id=caller.user_id, email=None)


def _check_no_guest(caller: Caller) -> None:
    """Raises NotAuthenticated for a guest: its token opens one record, but not the wallet."""
    if caller.guest_of is not None:
        raise NotAuthenticated("a session is required")


def _stored_result(response: str) -> PaymentMethod:
    """Return the stored response with the token as it is now; it is not in the response."""
    stored = msgspec.json.decode(response, type=PaymentMethod)
    return replace(stored, token=method_items.get_token(stored.id))


def _attach(caller: Caller, new: "NewMethod", creation: Creation, run: RunContext) -> MethodResult:
    query = payers.PayerQuery(new.provider_id, new.organization_id, new.customer_id)
    customer = payers.wallet_customer(caller, query, run)
    _check_address(new.billing_address_id, customer)
    provider = registry.open_provider(new.provider_id)
    try:
        attached = provider.attach_method(
            new.provider_token, customer.provider_customer_id or "", ends_at=run.ends_at
        )
    except Refused as refusal:
        details = [Detail(new.token_name, str(refusal))]
        raise InvalidRequest(str(refusal), details=details) from refusal
    for _ in range(optimistic_update.WALLET_WRITE_TRIES):
        method = _new_method(creation.subject_id, new, attached, customer)
        try:
            method_items.insert(method, customer, creation.completed(method))
            return MethodResult(method=method)
        except method_items.AlreadySaved as saved:
            return _saved_before(saved.method_id, new, creation)
        except dynamodb.VersionConflict:
            customer = _reload(customer)
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


def _new_method(
    method_id: str, new: "NewMethod", attached: ProviderMethod, customer: Customer
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
        **values_of(attached),
    )


def _saved_before(method_id: str, new: "NewMethod", creation: Creation) -> MethodResult:
    """Return the method that has the token: saved by another request, a payment or a crashed run.

    Raises InvalidRequest if that method was deleted.
    """
    method, _ = method_items.get(method_id)
    if method is None or method.state != "active":
        message = "this payment method was deleted and cannot be used again"
        raise InvalidRequest(message, details=[Detail(new.token_name, "was deleted")])
    if completed := creation.completed(method):
        idempotency_items.close(completed)
    return MethodResult(method=method, replayed=creation.subject_id == method.id)


def _reload(seen: Customer) -> Customer:
    """Return the customer as it is now. Raises NotFound if it was deleted meanwhile."""
    customer = customer_items.get(seen.id)
    if customer is None or customer.state != "active":
        raise NotFound
    return customer


def get_method(caller: Caller, method_id: str) -> PaymentMethod:
    """Return an active method. Raises NotFound, also for a deleted one."""
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
    """List the caller's own methods, an organization's, or one customer's, newest first.

    Raises NotFound, NotAuthenticated, Forbidden.
    """
    if page.customer_id:
        return list_of_customer(caller, page.customer_id, page)
    user_id = access.user_of(caller)
    if page.organization_id:
        access.check_member(caller, page.organization_id)
        return method_items.list_of_organization(page.organization_id, page)
    return method_items.list_of_user(user_id, page)


def list_of_customer(caller: Caller, customer_id: str, page: Page) -> list[PaymentMethod]:
    """List one customer's methods, newest first.

    Raises NotFound, also for a deleted customer; NotAuthenticated for a guest's token.
    """
    _check_no_guest(caller)
    return method_items.list_of_customer(user_customers.get_customer(caller, customer_id), page)


def list_for_key(caller: Caller, customer_id: str) -> list[PaymentMethod]:
    """List all methods of an organization's customer without tokens, for the organization's keys.

    The default comes first, then the newest. Of a deleted customer these are the methods that are
    not detached yet. Raises NotFound.
    """
    methods = method_items.list_active(organization_customers.get(caller, customer_id))
    return sorted(methods, key=lambda method: not method.is_default)


def update_method(caller: Caller, method_id: str, change: "MethodChange") -> PaymentMethod:
    """Change the fields that were sent. The provider does not store them, so it is not called.

    Raises NotFound, Forbidden, InvalidRequest `immutable_field`, TemporarilyUnavailable.
    """
    return _change(caller, method_id, change.model_dump(exclude_none=True))


def _change(caller: Caller, method_id: str, given: dict[str, Any]) -> PaymentMethod:
    def act(method: PaymentMethod, customer: Customer) -> PaymentMethod:
        changes = immutable_fields.changeable(given, method)
        _check_address(changes.get("billing_address_id"), customer)
        after = replace(method, **(changes | {"updated_at": clock.now()}))
        if changes:
            method_items.update(method, after, customer)
        return after if changes else method

    return optimistic_update.change(caller, method_id, _find, act, SUBJECT)


def set_default(caller: Caller, method_id: str) -> PaymentMethod:
    """Make a method its customer's default. Raises NotFound, Forbidden, TemporarilyUnavailable."""
    return _change(caller, method_id, {"is_default": True})


def delete_method(caller: Caller, method_id: str) -> None:
    """Delete a method here; a job then detaches it at the provider.

    If it was the default, the newest remaining method becomes the default.
    Raises NotFound, Forbidden, TemporarilyUnavailable.
    """
    optimistic_update.change(caller, method_id, _find, detach_method, SUBJECT)


def detach_method(method: PaymentMethod, customer: Customer) -> PaymentMethod:
    """Delete a method as it was read, and leave a job. Raises VersionConflict, Throttled."""
    now = clock.now()
    default = customer.default_method_id
    if default == method.id:
        active = method_items.list_active(customer)
        default = next((each.id for each in active if each.id != method.id), None)
    deleted = replace(method, state="deleted", updated_at=now)
    job = Job(
        id=new_id("job", now),
        customer_id=customer.id,
        method_id=method.id,
        stage="method",
        due_at=int(now.timestamp()),
    )
    method_items.delete(method, deleted, customer, default, job)
    return deleted
