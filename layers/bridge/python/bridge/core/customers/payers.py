"""Finds the customer for whom a payment is made at the provider (B18)."""

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from bridge import clock
from bridge.core.rules import access, scheduling
from bridge.errors import Detail, InvalidRequest, NotFound, TemporarilyUnavailable
from bridge.models import identifier
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.identifier import new_id, suffix
from bridge.models.provider import ProviderId
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.customers import customer_items, organization_items
from bridge.store.dynamodb import Actions

if TYPE_CHECKING:
    from bridge.bodies.customer import GuestData
    from bridge.bodies.payment import NewPayment


class Payer(Struct, frozen=True):
    """A customer and its id at the provider. Both are None for a guest who saves nothing.

    `writes` belong in the payment's own transaction: a check that the customer is active, or the
    writes that create the customer or link it to the provider.
    """

    customer_id: str | None
    provider_customer_id: str | None
    writes: Actions


class PayerQuery(Struct, frozen=True):
    """Which customer is needed: the one with `customer_id`, else the caller's own at the provider.

    `organization_id`: the caller's own customer in that organization; None: in no organization.
    `guest`: the data for a new customer.
    """

    provider_id: ProviderId
    organization_id: str | None
    customer_id: str | None
    guest: "GuestData | None" = None


NOBODY = Payer(None, None, {})


def find(caller: Caller, new: "NewPayment", owner: Customer | None, run: RunContext) -> Payer:
    """Return the payer of a new payment.

    This is the customer in the request, else the owner of the saved payment method (`owner`), else
    the caller's own customer, else a new one. Creating a customer moves no money, so one that is
    made at the provider and then not used does no harm.
    Raises NotFound, Forbidden, InvalidRequest, and what the provider's call raises.
    """
    is_needed = caller.user_id is not None or new.setup_future_usage is not None
    if not (is_needed or owner or new.customer_id):
        return NOBODY
    query = PayerQuery(new.provider_id, new.organization_id, new.customer_id, new.guest_data)
    return _find(caller, query, owner, run)


def wallet_customer(caller: Caller, query: PayerQuery, run: RunContext) -> Customer:
    """Return the customer in whose wallet something is saved. It exists here and at the provider.

    Raises NotFound, Forbidden, InvalidRequest, TemporarilyUnavailable, and what the provider's call
    raises.
    """
    for _ in range(scheduling.WRITE_TRIES):
        payer = _find(caller, query, None, run)
        try:
            if payer.writes.keys() != {"customer_lives"}:
                customer_items.make(payer.writes)
        except dynamodb.VersionConflict:
            continue  # another request wrote the customer first: the next round finds it
        customer = customer_items.get(payer.customer_id or "")
        if customer and customer.state == "active":
            return customer
        if query.customer_id:
            raise NotFound
    raise TemporarilyUnavailable("the customer could not be found", retry_after=1)


def _find(caller: Caller, query: PayerQuery, owner: Customer | None, run: RunContext) -> Payer:
    if query.customer_id:
        requested = _requested_customer(caller, query.customer_id, query.provider_id)
        if owner and owner.id != requested.id:
            raise InvalidRequest(
                "payment_method_id belongs to another customer",
                details=[Detail("payment_method_id", "belongs to another customer")],
            )
        owner = requested
    if owner:
        return _payer_of(owner, query.provider_id, run)
    if caller.user_id is None:
        return _create(_new_customer(caller, query), query.provider_id, run)
    user_id, place = caller.user_id, (query.provider_id, query.organization_id)
    if own := customer_items.find_own(user_id, *place):
        writes = customer_items.own_check(own, user_id, *place)
        return Payer(own.customer_id, own.provider_customer_id, writes)
    return _create(_new_customer(caller, query), query.provider_id, run)


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


def _payer_of(customer: Customer, provider_id: ProviderId, run: RunContext) -> Payer:
    """A customer of one of the other APIs may not be at the provider yet: it is made there."""
    if customer.provider_customer_id:
        writes = customer_items.lives(customer.id)
        return Payer(customer.id, customer.provider_customer_id, writes)
    provider = registry.open_provider(provider_id)
    made = provider.create_customer(customer, key=f"{suffix(customer.id)}.c", ends_at=run.ends_at)
    linked = replace(customer, provider_id=provider_id, provider_customer_id=made)
    return Payer(customer.id, made, customer_items.provider_link(customer, linked))


def _create(customer: Customer, provider_id: ProviderId, run: RunContext) -> Payer:
    provider = registry.open_provider(provider_id)
    key = f"{suffix(customer.id)}.c"
    made = provider.create_customer(customer, key=key, ends_at=run.ends_at)
    customer = replace(customer, provider_customer_id=made)
    return Payer(customer.id, made, customer_items.creation(customer, as_own=True))


def _new_customer(caller: Caller, query: PayerQuery) -> Customer:
    """Return a new customer with the session's data; guest data fills in what is missing (B8)."""
    now, guest = clock.now(), query.guest
    made = new_id("cust", now)
    return Customer(
        id=made,
        uid=suffix(made),
        provider_id=query.provider_id,
        email=caller.email or (guest.email if guest else None),
        name=caller.name or (guest.name if guest else None),
        phone=caller.phone or (guest.phone if guest else None),
        user_id=caller.user_id,
        organization_id=query.organization_id,
        is_guest=not caller.is_user,
        shard=organization_items.shard_of(query.organization_id, suffix(made)),
        created_at=now,
        updated_at=now,
    )
