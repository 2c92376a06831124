"""Addresses: create, read, update, delete. Source: docs/api/native.md, section 5."""

from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from bridge import clock
from bridge.core.customers import payers, user_customers
from bridge.core.rules import access, idempotency, immutable_fields
from bridge.core.rules.idempotency import Creation
from bridge.core.wallet import optimistic_update
from bridge.errors import NotFound
from bridge.models import identifier
from bridge.models.address import Address, AddressResult
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.identifier import new_id, suffix
from bridge.models.page import Page
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.customers import customer_items
from bridge.store.dedupe import idempotency_items
from bridge.store.wallet import address_items, method_items

if TYPE_CHECKING:
    from bridge.bodies.address import AddressChange, NewAddress

NOT_STORED = {"customer_id", "organization_id", "provider_id"}
SUBJECT = "addresses"
METHODS_AT_ONCE = 90  # that one transaction changes; a transaction has at most 100 actions


def create_address(caller: Caller, new: "NewAddress", run: RunContext) -> AddressResult:
    """Create an address of the customer in the request, else of the caller's own.

    Raises InvalidRequest, NotAuthenticated, Forbidden, NotFound, Conflict `idempotency_key_reused`
    or `idempotency_in_progress`, TemporarilyUnavailable. If a customer must be made, also what the
    provider's call raises.
    """
    user_id = access.user_of(caller)
    registry.check_open(new.provider_id)
    access.check_writer(caller, new.organization_id)
    place = partial(idempotency_items.of_creation, user_id=user_id, email=None)
    with idempotency.creation(place, new_id("addr", clock.now()), run) as creation:
        if creation.stored_response:
            stored = msgspec.json.decode(creation.stored_response, type=Address)
            return AddressResult(address=stored, replayed=True)
        return _create(caller, new, creation, run)


def _create(
    caller: Caller, new: "NewAddress", creation: Creation, run: RunContext
) -> AddressResult:
    customer, now = _customer_for(caller, new, run), clock.now()
    address = Address(
        id=creation.subject_id,
        uid=suffix(creation.subject_id),
        customer_id=customer.id,
        created_at=now,
        updated_at=now,
        **new.model_dump(exclude=NOT_STORED),
    )
    for _ in range(optimistic_update.WALLET_WRITE_TRIES):
        try:
            address_items.insert(address, customer, creation.completed(address))
            return AddressResult(address=address)
        except dynamodb.VersionConflict:
            stored, _ = address_items.get(address.id)
            if stored:  # another run that took over the same request stored it
                return AddressResult(address=stored, replayed=True)
            customer = _active(customer_items.get(customer.id), caller)
    raise optimistic_update.contended(SUBJECT)


def _customer_for(caller: Caller, new: "NewAddress", run: RunContext) -> Customer:
    if new.customer_id is None:
        query = payers.PayerQuery(new.provider_id, new.organization_id, None)
        return payers.wallet_customer(caller, query, run)
    customer = user_customers.get_customer(caller, new.customer_id)
    access.check_writable(customer, caller)
    return customer


def _active(stored: Customer | None, caller: Caller) -> Customer:
    """Raises NotFound, also for a guest: its token opens a customer, but not the wallet."""
    customer = access.visible(stored, caller)
    if customer.state != "active" or caller.guest_of is not None:
        raise NotFound
    return customer


def get_address(caller: Caller, address_id: str) -> Address:
    """Return an address. Raises NotFound, also if its customer is deleted."""
    return _find(caller, address_id)[0]


def _find(caller: Caller, address_id: str) -> tuple[Address, Customer]:
    known = identifier.is_well_formed(address_id)
    address, owner = address_items.get(address_id, caller.prefetched) if known else (None, None)
    customer = _active(owner, caller)
    if address is None:
        raise NotFound
    return address, customer


def list_addresses(caller: Caller, page: Page) -> list[Address]:
    """List the caller's own addresses, an organization's, or one customer's, newest first.

    Raises Forbidden, NotFound, NotAuthenticated for a guest's token.
    """
    user_id = access.user_of(caller)
    if page.customer_id:
        customer = user_customers.get_customer(caller, page.customer_id)
        return address_items.list_of_customer(customer, page)
    if page.organization_id:
        access.check_member(caller, page.organization_id)
        return address_items.list_of_organization(page.organization_id, page)
    return address_items.list_of_user(user_id, page)


def update_address(caller: Caller, address_id: str, change: "AddressChange") -> Address:
    """Change the fields that were sent.

    Raises NotFound, Forbidden, InvalidRequest `immutable_field`, TemporarilyUnavailable.
    """
    given = change.model_dump(exclude_none=True)

    def act(address: Address, customer: Customer) -> Address:
        changes = immutable_fields.changeable(given, address)
        after = replace(address, **(changes | {"updated_at": clock.now()}))
        if changes:
            address_items.update(address, after, customer)
        return after if changes else address

    return optimistic_update.change(caller, address_id, _find, act, SUBJECT)


def delete_address(caller: Caller, address_id: str) -> None:
    """Delete an address, and remove it from every payment method that uses it.

    Raises NotFound, Forbidden, TemporarilyUnavailable.
    """

    def act(address: Address, customer: Customer) -> Address:
        methods, now = method_items.list_active(customer), clock.now()
        billed = [each for each in methods if each.billing_address_id == address.id]
        # More methods than one transaction takes: the rest first, one by one. If this run stops
        # in between, the address still exists.
        for method in billed[METHODS_AT_ONCE:]:
            method_items.remove_billing_address(method, now)
        address_items.delete(address, customer, billed[:METHODS_AT_ONCE], now)
        return address

    optimistic_update.change(caller, address_id, _find, act, SUBJECT)
