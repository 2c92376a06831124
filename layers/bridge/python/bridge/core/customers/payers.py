"""Whose provider customer a payment is made for (B18)."""

from dataclasses import dataclass

from bridge import clock
from bridge.core.rules import access, scheduling
from bridge.errors import Detail, InvalidRequest, NotFound, TemporarilyUnavailable
from bridge.models import identifier
from bridge.models.caller import Caller
from bridge.models.customer import Customer, GuestData
from bridge.models.identifier import new_id, suffix
from bridge.models.payment import NewPayment
from bridge.models.provider import ProviderId
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.customers import customer_items, organization_items
from bridge.store.dynamodb import Actions


@dataclass(frozen=True)
class Payer:
    """A customer and its place at the provider; both None for a guest who saves nothing.

    `writes` belong into the payment's own transaction: a check that the customer lives, or what
    makes or links it.
    """

    customer_id: str | None
    provider_customer_id: str | None
    writes: Actions


@dataclass(frozen=True)
class Sought:
    """The customer that is named, else the caller's own at a provider, in an organization or in
    none. `guest`: of whom a customer may have to be made."""

    provider_id: ProviderId
    organization_id: str | None
    customer_id: str | None
    guest: GuestData | None = None


NOBODY = Payer(None, None, {})


def find(caller: Caller, new: NewPayment, owner: Customer | None, run: RunContext) -> Payer:
    """The named customer, else the saved method's owner, else the caller's own, else a new one.

    Moves no money; a customer made at the provider and then not used is harmless.
    Raises NotFound, Forbidden, InvalidRequest, and what the provider's call raises.
    """
    is_needed = caller.user_id is not None or new.setup_future_usage is not None
    if not (is_needed or owner or new.customer_id):
        return NOBODY
    sought = Sought(new.provider_id, new.organization_id, new.customer_id, new.guest_data)
    return _find(caller, sought, owner, run)


def holder(caller: Caller, sought: Sought, run: RunContext) -> Customer:
    """The customer for whom something is saved: stored, and at its provider.

    Raises NotFound, Forbidden, InvalidRequest, and what the provider's call raises.
    """
    for _ in range(scheduling.WRITE_TRIES):
        payer = _find(caller, sought, None, run)
        try:
            if payer.writes.keys() != {"customer_lives"}:
                customer_items.make(payer.writes)
        except dynamodb.VersionConflict:
            continue  # somebody was faster: that one it is
        customer = customer_items.get(payer.customer_id or "")
        if customer and customer.state == "active":
            return customer
        if sought.customer_id:
            raise NotFound
    raise TemporarilyUnavailable("the customer could not be found", retry_after=1)


def _find(caller: Caller, new: Sought, owner: Customer | None, run: RunContext) -> Payer:
    if new.customer_id:
        named = _requested_customer(caller, new.customer_id, new.provider_id)
        if owner and owner.id != named.id:
            raise InvalidRequest(
                "payment_method_id belongs to another customer",
                details=[Detail("payment_method_id", "belongs to another customer")],
            )
        owner = named
    if owner:
        return _of(owner, new.provider_id, run)
    if caller.user_id is None:
        return _make(_customer_of(caller, new), new.provider_id, run)
    user_id, place = caller.user_id, (new.provider_id, new.organization_id)
    if own := customer_items.find_own(user_id, *place):
        writes = customer_items.claiming(own, user_id, *place)
        return Payer(own.customer_id, own.provider_customer_id, writes)
    return _make(_customer_of(caller, new), new.provider_id, run)


def _requested_customer(caller: Caller, customer_id: str, provider_id: ProviderId) -> Customer:
    known = identifier.is_well_formed(customer_id)
    stored = customer_items.get(customer_id, caller.prefetched) if known else None
    customer = access.visible(stored, caller)
    access.check_writable(customer, caller)
    if customer.state != "active":
        raise NotFound
    if customer.provider_id not in (None, provider_id):
        raise InvalidRequest(
            "customer_id belongs to another provider",
            details=[Detail("customer_id", f"is a customer at {customer.provider_id}")],
        )
    return customer


def _of(customer: Customer, provider_id: ProviderId, run: RunContext) -> Payer:
    if customer.provider_customer_id:
        writes = customer_items.lives(customer.id)
        return Payer(customer.id, customer.provider_customer_id, writes)
    provider = registry.open_provider(provider_id)
    made = provider.create_customer(customer, key=f"{suffix(customer.id)}.c", ends_at=run.ends_at)
    linked = customer.model_copy(update={"provider_id": provider_id, "provider_customer_id": made})
    return Payer(customer.id, made, customer_items.linking(customer, linked))


def _make(customer: Customer, provider_id: ProviderId, run: RunContext) -> Payer:
    provider = registry.open_provider(provider_id)
    key = f"{suffix(customer.id)}.c"
    made = provider.create_customer(customer, key=key, ends_at=run.ends_at)
    customer = customer.model_copy(update={"provider_customer_id": made})
    return Payer(customer.id, made, customer_items.creation(customer, as_own=True))


def _customer_of(caller: Caller, new: Sought) -> Customer:
    """From the session; guest_data fills in what it lacks, and is all there is of a guest (B8)."""
    now, guest = clock.now(), new.guest
    made = new_id("cust", now)
    return Customer(
        id=made,
        uid=suffix(made),
        provider_id=new.provider_id,
        email=caller.email or (guest.email if guest else None),
        name=caller.name or (guest.name if guest else None),
        phone=caller.phone or (guest.phone if guest else None),
        user_id=caller.user_id,
        organization_id=new.organization_id,
        is_guest=not caller.is_user,
        shard=organization_items.shard_of(new.organization_id, suffix(made)),
        created_at=now,
        updated_at=now,
    )
