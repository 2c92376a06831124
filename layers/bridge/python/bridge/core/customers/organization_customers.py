"""Customers of an organization, for callers with its credential. No provider is called.

Source: docs/data-model.md, sections 3 and 6; docs/api/payments-ai.md, section 2;
docs/api/monri.md, section 5; docs/api/alternative.md, section 6.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import msgspec
from msgspec.structs import replace

from bridge import clock
from bridge.core.rules import access, idempotency, scheduling
from bridge.errors import Conflict, Detail, InvalidRequest, NotFound, TemporarilyUnavailable
from bridge.models import identifier
from bridge.models.caller import Caller
from bridge.models.customer import Customer, CustomerFields, CustomerResult, renamed
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.identifier import new_id, suffix
from bridge.models.model import json_of
from bridge.models.page import OffsetPage
from bridge.models.payment_method import CustomersMethods
from bridge.models.run_context import ClientKey, RunContext
from bridge.models.text import METADATA_BYTES, compact
from bridge.store import dynamodb
from bridge.store.customers import customer_items, organization_items
from bridge.store.dedupe import idempotency_items
from bridge.store.wallet import method_items

ADDRESSES = {"address", "primary_address"}

# How an external id is claimed. "required": it must be free, else the creation fails. "if_free": if
# it is taken, the customer keeps it but is not found by it.
Claim = Literal["required", "if_free"]
Plan = Callable[[Customer], CustomerFields]


def create(caller: Caller, fields: CustomerFields, claim: Claim, run: RunContext) -> CustomerResult:
    """Create a customer, together with its idempotency record, in one transaction.

    Raises InvalidRequest, Conflict `external_id_taken` or `idempotency_key_reused`,
    TemporarilyUnavailable.
    """
    organization_id = access.organization_of(caller)
    now = clock.now()
    made = new_id("cust", now)
    blank = Customer(
        id=made,
        uid=suffix(made),
        organization_id=organization_id,
        shard=organization_items.shard_of(organization_id, suffix(made)),
        created_at=now,
        updated_at=now,
    )
    customer = _written(blank, fields)
    try:
        return _insert(customer, run)
    except customer_items.ExternalIdTaken as taken:
        if claim == "required":
            raise _taken() from taken
    return _insert(replace(customer, claims_external_id=False), run)


def _insert(customer: Customer, run: RunContext) -> CustomerResult:
    record = None
    if key := run.client_key:
        place = idempotency_items.of_organization(customer.organization_id or "", key.key)
        record = idempotency.completed(idempotency.new_record(place, key, customer.id), customer)
    try:
        customer_items.insert_once(customer, record, clock.seconds())
    except idempotency_items.KeyTaken as taken:
        return _stored_result(taken.record, key)
    return CustomerResult(customer=customer)


def find_replay(caller: Caller, run: RunContext) -> CustomerResult | None:
    """Return the stored response of the client's key; None if there is none.

    Raises Conflict `idempotency_key_reused`.
    """
    if run.client_key is None:
        return None
    place = idempotency_items.of_organization(access.organization_of(caller), run.client_key.key)
    record = idempotency_items.get(place, clock.seconds())
    return _stored_result(record, run.client_key) if record else None


def _stored_result(record: IdempotencyRecord, key: ClientKey | None) -> CustomerResult:
    if key:
        idempotency.check_same(record, key)
    stored = msgspec.json.decode(record.stored_response, type=Customer)
    return CustomerResult(customer=stored, replayed=True)


def get(caller: Caller, customer_id: str) -> Customer:
    """Return a customer, also a deleted one. Raises NotFound."""
    known = identifier.is_well_formed(customer_id)
    stored = customer_items.get(customer_id, caller.prefetched) if known else None
    return access.visible(stored, caller)


def get_by_external_id(caller: Caller, external_id: str) -> Customer:
    """Return the active customer that claimed an external id. Raises NotFound."""
    organization_id = access.organization_of(caller)
    customer = customer_items.get_claimed(organization_id, external_id)
    if customer is None or customer.state != "active":
        raise NotFound
    return access.visible(customer, caller)


def list_methods(
    caller: Caller, customer_id: str | None, external_id: str, page: OffsetPage
) -> CustomersMethods:
    """List a customer's payment methods, newest first; of a deleted customer none.

    The customer is found by our id, else by the external id that it claimed. Raises NotFound.
    """
    customer = _find(caller, customer_id, external_id)
    methods = []
    if customer.state == "active":
        methods = method_items.list_active(customer)[page.offset : page.offset + page.limit]
    return CustomersMethods(customer_uid=customer.uid, methods=methods, at=clock.now())


def _find(caller: Caller, customer_id: str | None, external_id: str) -> Customer:
    if customer_id:
        with suppress(NotFound):
            return get(caller, customer_id)
    return get_by_external_id(caller, external_id)


def update(caller: Caller, customer_id: str, plan: Plan, *, touches: bool = False) -> Customer:
    """Write the fields that `plan` returns for the stored customer.

    After a version conflict `plan` is called again with the newer customer. If nothing differs,
    nothing is written, unless `touches`: then version and time change all the same.
    Raises NotFound, what `plan` raises, InvalidRequest, Conflict `customer_deleted` or
    `external_id_taken`, TemporarilyUnavailable.
    """
    for _ in range(scheduling.WRITE_TRIES):
        seen = get(caller, customer_id)
        fields = plan(seen)
        after = _written(seen, fields)
        check_active(seen)
        _check_default(seen, fields)
        if json_of(after) == json_of(seen) and not touches:
            return seen
        try:
            return customer_items.update(seen, replace(after, updated_at=clock.now()))
        except customer_items.ExternalIdTaken as taken:
            raise _taken() from taken
        except dynamodb.VersionConflict:
            caller = replace(caller, prefetched={})
    raise TemporarilyUnavailable("the customer could not be changed", retry_after=1)


def delete(caller: Caller, customer_id: str) -> Customer:
    """Mark a customer deleted and return it. A second call returns the same customer.

    A job then detaches its payment methods and deletes it at the provider.
    Raises NotFound, TemporarilyUnavailable. Source: docs/data-model.md, section 6.
    """
    for _ in range(scheduling.WRITE_TRIES):
        seen = get(caller, customer_id)
        if seen.state == "deleted":
            return seen
        now = clock.now()
        gone = replace(seen, state="deleted", deleted_at=now, updated_at=now)
        try:
            return customer_items.delete(seen, gone, new_id("job", now), int(now.timestamp()))
        except dynamodb.VersionConflict:
            caller = replace(caller, prefetched={})
    raise TemporarilyUnavailable("the customer could not be deleted", retry_after=1)


def check_active(customer: Customer) -> None:
    """Raises Conflict `customer_deleted`: nothing new may be added to a deleted customer."""
    if customer.state != "active":
        raise Conflict("the customer is deleted", code="customer_deleted")


def _check_default(seen: Customer, fields: CustomerFields) -> None:
    """Raises InvalidRequest for a method that is not this customer's, or has expired."""
    if (method_id := fields.get("default_method_id")) is None:
        return
    method = method_items.get_of_customer(seen, method_id)
    if method is None:
        error = "does not belong to this customer"
    elif method.is_expired(clock.now()):
        error = "instrument is not chargeable"
    else:
        return
    raise InvalidRequest("no default method", details=[Detail("default_method_id", error)])


def _taken() -> Conflict:
    message = "another customer has this external id"
    return Conflict(message, code="external_id_taken")


def _written(seen: Customer, fields: CustomerFields) -> Customer:
    """Return the customer with the fields that were sent, and its name made again if needed.

    Raises InvalidRequest if both address forms together are too large.
    """
    after = replace(seen, **fields)
    if ADDRESSES & fields.keys():
        _check_addresses(after)
    if "external_id" in fields:
        claims = after.external_id is not None
        after = replace(after, claims_external_id=claims)
    return renamed(seen, after, fields)


def _check_addresses(customer: Customer) -> None:
    """Raises InvalidRequest if both address forms together exceed the limit of one.

    The limit lets a page of 500 customers fit into one response.
    """
    forms = (customer.address, customer.primary_address)
    if sum(len(compact(form).encode()) for form in forms if form) > METADATA_BYTES:
        message = f"must be at most {METADATA_BYTES} bytes as JSON, both forms together"
        raise InvalidRequest("the address is too large", details=[Detail("address", message)])
