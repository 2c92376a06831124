"""Customers of users and guests: create, read, update, delete.

Source: docs/api/native.md, section 3.
"""

from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from bridge import clock
from bridge.core.rules import (
    access,
    guest_requirements,
    idempotency,
    immutable_fields,
    rate_limits,
    scheduling,
)
from bridge.core.rules.idempotency import Creation
from bridge.errors import (
    Detail,
    InvalidRequest,
    NotFound,
    TemporarilyUnavailable,
)
from bridge.models import identifier
from bridge.models.caller import Caller
from bridge.models.customer import Customer, CustomerResult, joined_name, renamed
from bridge.models.identifier import new_id, suffix
from bridge.models.model import json_of
from bridge.models.page import Page
from bridge.models.provider import ProviderId
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.customers import customer_items, customer_list_items, organization_items
from bridge.store.dedupe import idempotency_items

if TYPE_CHECKING:
    from bridge.bodies.customer import CustomerChange, NewCustomer


def create_customer(caller: Caller, new: "NewCustomer", run: RunContext) -> CustomerResult:
    """Create a customer at its provider, then store it in one transaction.

    A client's key is reserved first, together with the customer's id. So a retry after a crash
    sends the same call to the provider.
    Raises InvalidRequest, NotAuthenticated, Forbidden, RateLimited, Conflict
    `idempotency_key_reused` or `idempotency_in_progress`, NotExecuted, UnknownOutcome.
    """
    if not caller.is_user:
        guest_requirements.check(new.guest_data, run)
        if new.guest_data:
            rate_limits.check_guest_creation(run, new.guest_data.email)
    registry.check_open(new.provider_id)
    access.check_writer(caller, new.organization_id)
    customer = _new_customer(caller, new)
    email = new.guest_data.email if new.guest_data else None
    place = partial(idempotency_items.of_creation, user_id=customer.user_id, email=email)
    with idempotency.creation(place, customer.id, run) as creation:
        if creation.stored_response:
            stored = msgspec.json.decode(creation.stored_response, type=Customer)
            return CustomerResult(customer=stored, replayed=True)
        reserved = {"id": creation.subject_id, "uid": suffix(creation.subject_id)}
        customer = replace(customer, **reserved)
        return _create(customer, new.provider_id, creation, run)


def _create(
    customer: Customer, provider_id: ProviderId, creation: Creation, run: RunContext
) -> CustomerResult:
    """Create it at the provider, then store it.

    Raises what the provider's call raises, Throttled.
    """
    provider = registry.open_provider(provider_id)
    made = provider.create_customer(customer, key=f"{suffix(customer.id)}.c", ends_at=run.ends_at)
    customer = replace(customer, provider_customer_id=made)
    try:
        customer_items.insert(customer, creation.completed(customer))
    except dynamodb.VersionConflict:  # another run that took over the same request stored it
        stored = customer_items.get(customer.id)
        return CustomerResult(customer=stored or customer, replayed=True)
    return CustomerResult(customer=customer)


def _new_customer(caller: Caller, new: "NewCustomer") -> Customer:
    now, guest = clock.now(), new.guest_data
    made = new_id("cust", now)
    email, phone = new.email, new.phone
    given = new.name or joined_name(new.first_name, new.last_name)
    if guest:  # a guest's only data; for a user it fills in what is missing (B8)
        email, phone, given = email or guest.email, phone or guest.phone, given or guest.name
    if caller.is_user:
        email, phone, given = email or caller.email, phone or caller.phone, given or caller.name
    if email is None:
        raise InvalidRequest("email is required", details=[Detail("email", "is required")])
    derived = not new.name and joined_name(new.first_name, new.last_name) is not None
    return Customer(
        id=made,
        uid=suffix(made),
        provider_id=new.provider_id,
        email=email,
        name=given,
        name_is_derived=derived,
        first_name=new.first_name,
        last_name=new.last_name,
        phone=phone,
        user_id=caller.user_id,
        organization_id=new.organization_id,
        is_guest=not caller.is_user,
        metadata=new.metadata,
        shard=organization_items.shard_of(new.organization_id, suffix(made)),
        created_at=now,
        updated_at=now,
    )


def get_customer(caller: Caller, customer_id: str) -> Customer:
    """Return an active customer. Raises NotFound, also for a deleted one."""
    known = identifier.is_well_formed(customer_id)
    stored = customer_items.get(customer_id, caller.prefetched) if known else None
    customer = access.visible(stored, caller)
    if customer.state != "active":
        raise NotFound
    return customer


def list_customers(caller: Caller, page: Page) -> list[Customer]:
    """List the caller's own customers, or an organization's, newest first.

    Raises NotAuthenticated, Forbidden.
    """
    user_id = access.user_of(caller)
    if page.organization_id:
        access.check_member(caller, page.organization_id)
        return customer_list_items.list_page(page.organization_id, page)
    return customer_items.list_of_user(user_id, page)


def update_customer(
    caller: Caller, customer_id: str, change: "CustomerChange", run: RunContext
) -> Customer:
    """Change a customer at the provider, then here. If the provider fails, nothing changes here.

    Raises NotFound, NotAuthenticated, Forbidden, InvalidRequest `immutable_field`, NotExecuted,
    UnknownOutcome, TemporarilyUnavailable.
    """
    seen = get_customer(caller, customer_id)
    access.user_of(caller)
    access.check_writable(seen, caller)
    for _ in range(scheduling.WRITE_TRIES):
        changed = _changed(seen, change)
        if json_of(changed) == json_of(seen):  # JSON: True is not 1
            return seen
        if seen.provider_id and seen.provider_customer_id:
            provider = registry.open_provider(seen.provider_id)
            provider.update_customer(seen, changed, ends_at=run.ends_at)
        try:
            stamped = replace(changed, updated_at=clock.now())
            return customer_items.update(seen, stamped)
        except dynamodb.VersionConflict:
            seen = get_customer(replace(caller, prefetched={}), customer_id)
    raise TemporarilyUnavailable("the customer could not be changed", retry_after=1)


def _changed(seen: Customer, change: "CustomerChange") -> Customer:
    changes = immutable_fields.changeable(change.model_dump(exclude_none=True), seen)
    return renamed(seen, replace(seen, **changes), changes)


def delete_customer(caller: Caller, customer_id: str) -> None:
    """Delete our record. A job then detaches its methods and deletes it at the provider (B12).

    Raises NotFound, NotAuthenticated, Forbidden, TemporarilyUnavailable.
    """
    seen = get_customer(caller, customer_id)
    access.user_of(caller)
    access.check_writable(seen, caller)
    for _ in range(scheduling.WRITE_TRIES):
        now = clock.now()
        gone = replace(seen, state="deleted", deleted_at=now, updated_at=now)
        job = new_id("job", now)
        try:
            customer_items.delete(seen, gone, job, int(now.timestamp()))
            return
        except dynamodb.VersionConflict:
            seen = get_customer(replace(caller, prefetched={}), customer_id)
    raise TemporarilyUnavailable("the customer could not be deleted", retry_after=1)
