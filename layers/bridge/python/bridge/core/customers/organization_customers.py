"""Customers as an organization's own keys keep them: soft deletes, and no provider is asked.

Source: contracts/payments-ai.md 2, monri.md 5, alternative.md 6; design/data-model.md 3 and 6.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from bridge import clock
from bridge.core.rules import access, idempotency, scheduling
from bridge.errors import Conflict, Detail, InvalidRequest, NotFound, TemporarilyUnavailable
from bridge.models import identifier
from bridge.models.caller import Caller
from bridge.models.customer import Customer, CustomerFields, CustomerResult, renamed
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.identifier import new_id, suffix
from bridge.models.page import OffsetPage
from bridge.models.payment_method import CustomersMethods
from bridge.models.run_context import ClientKey, RunContext
from bridge.models.text import METADATA_BYTES, compact
from bridge.store import dynamodb
from bridge.store.customers import customer_items, organization_items
from bridge.store.dedupe import idempotency_items
from bridge.store.wallet import method_items

ADDRESSES = {"address", "primary_address"}

# How an external id is taken: it must be free, or it is found by this customer only if it is.
Claim = Literal["required", "if_free"]
Plan = Callable[[Customer], CustomerFields]


def create(caller: Caller, fields: CustomerFields, claim: Claim, run: RunContext) -> CustomerResult:
    """Store a customer, with what its client's key stands for, in one transaction.

    Raises Conflict `external_id_taken`, `idempotency_key_reused`, TemporarilyUnavailable.
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
    return _insert(customer.model_copy(update={"claims_external_id": False}), run)


def _insert(customer: Customer, run: RunContext) -> CustomerResult:
    record = None
    if key := run.client_key:
        place = idempotency_items.of_organization(customer.organization_id or "", key.key)
        record = idempotency.new_record(place, key, customer.id)
        snapshot = customer.model_dump_json()
        record = record.model_copy(update={"state": "done", "snapshot": snapshot})
    try:
        customer_items.insert_once(customer, record, clock.seconds())
    except idempotency_items.KeyTaken as taken:
        return _stored_result(taken.record, key)
    return CustomerResult(customer=customer)


def replayed(caller: Caller, run: RunContext) -> CustomerResult | None:
    """What the client's key was answered with before; None where it is new. Raises Conflict."""
    if run.client_key is None:
        return None
    place = idempotency_items.of_organization(access.organization_of(caller), run.client_key.key)
    record = idempotency_items.get(place, clock.seconds())
    return _stored_result(record, run.client_key) if record else None


def _stored_result(record: IdempotencyRecord, key: ClientKey | None) -> CustomerResult:
    if key:
        idempotency.check_same(record, key)
    stored = Customer.model_validate_json(record.stored_response)
    return CustomerResult(customer=stored, replayed=True)


def get(caller: Caller, customer_id: str) -> Customer:
    """One that has been deleted, too. Raises NotFound."""
    known = identifier.is_well_formed(customer_id)
    stored = customer_items.get(customer_id, caller.prefetched) if known else None
    return access.visible(stored, caller)


def get_by_external_id(caller: Caller, external_id: str) -> Customer:
    """The living customer that has claimed it. Raises NotFound."""
    organization_id = access.organization_of(caller)
    customer = customer_items.get_claimed(organization_id, external_id)
    if customer is None or customer.state != "active":
        raise NotFound
    return access.visible(customer, caller)


def list_methods(
    caller: Caller, customer_id: str | None, external_id: str, page: OffsetPage
) -> CustomersMethods:
    """What is saved for a customer, newest first; nothing for a deleted one.

    Named by our id, or by the external id that it has claimed. Raises NotFound.
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
    """Write what `plan` makes of the customer as it is; it may run again, on a newer one.

    Where nothing differs nothing is written, unless the write itself is to be seen: `touches`.
    Raises NotFound, what `plan` raises, Conflict `customer_deleted` or `external_id_taken`,
    TemporarilyUnavailable.
    """
    for _ in range(scheduling.WRITE_TRIES):
        seen = get(caller, customer_id)
        fields = plan(seen)
        after = _written(seen, fields)
        check_active(seen)
        _check_default(seen, fields)
        if after.model_dump_json() == seen.model_dump_json() and not touches:
            return seen
        try:
            return customer_items.update(seen, after.model_copy(update={"updated_at": clock.now()}))
        except customer_items.ExternalIdTaken as taken:
            raise _taken() from taken
        except dynamodb.VersionConflict:
            caller = caller.model_copy(update={"prefetched": {}})
    raise TemporarilyUnavailable("the customer could not be changed", retry_after=1)


def delete(caller: Caller, customer_id: str) -> Customer:
    """The deleted customer; a second time the same one. A job then does the rest.

    Raises NotFound, TemporarilyUnavailable.
    """
    for _ in range(scheduling.WRITE_TRIES):
        seen = get(caller, customer_id)
        if seen.state == "deleted":
            return seen
        now = clock.now()
        gone = seen.model_copy(update={"state": "deleted", "deleted_at": now, "updated_at": now})
        try:
            return customer_items.delete(seen, gone, new_id("job", now), int(now.timestamp()))
        except dynamodb.VersionConflict:
            caller = caller.model_copy(update={"prefetched": {}})
    raise TemporarilyUnavailable("the customer could not be deleted", retry_after=1)


def check_active(customer: Customer) -> None:
    """Raises Conflict `customer_deleted`: history stays, and nothing new begins."""
    if customer.state != "active":
        raise Conflict("the customer is deleted", code="customer_deleted")


def _check_default(seen: Customer, fields: CustomerFields) -> None:
    """Raises InvalidRequest for a method that is not this customer's, or cannot be charged."""
    if fields.default_method_id is None:
        return
    method = method_items.get_of_customer(seen, fields.default_method_id)
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
    """The customer with what was sent. A name made of first and last follows them.

    Raises InvalidRequest for addresses that are too large together.
    """
    given = {name: getattr(fields, name) for name in fields.model_fields_set}
    after = seen.model_copy(update=given)
    if ADDRESSES & given.keys():
        _check_addresses(after)
    if "external_id" in given:
        claims = after.external_id is not None
        after = after.model_copy(update={"claims_external_id": claims})
    return renamed(seen, after, given)


def _check_addresses(customer: Customer) -> None:
    """Both forms of one address have the room of one: 500 records fit into an answer."""
    forms = (customer.address, customer.primary_address)
    if sum(len(compact(form).encode()) for form in forms if form) > METADATA_BYTES:
        message = f"must be at most {METADATA_BYTES} bytes as JSON, both forms together"
        raise InvalidRequest("the address is too large", details=[Detail("address", message)])
