"""Organizations with many customers, stored in batches but with the items that the product stores.

Every customer is a copy of one that the use case created, with the same items. Only the transaction
is left out. `check` ends the run if the stored items differ from the product's.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, cast

from msgspec.structs import replace

from benchmarks.customer_pages import FOUR_SHARDS, ONE_SHARD, Organization
from bridge import clock, config
from bridge.core.customers import organization_customers
from bridge.models.caller import Caller
from bridge.models.credential import Credential
from bridge.models.customer import Customer, CustomerFields, joined_name
from bridge.models.identifier import new_id, suffix
from bridge.models.run_context import RunContext
from bridge.store import dynamodb, keys
from bridge.store.access import credential_items
from bridge.store.customers import customer_items, organization_items
from bridge.store.dynamodb import Item
from bridge.store.keys import Key

BATCH, MAX_QUEUED, THREADS = 25, 20, 4
BEGIN, YEAR = datetime(2025, 1, 1, tzinfo=UTC), timedelta(days=365)
CHECKED = Organization(20, shards=4)


def fill_all() -> None:
    """Fill every organization that is measured."""
    first = check()
    for organization in (*ONE_SHARD, *FOUR_SHARDS):
        fill(organization, first)


def check() -> Customer:
    """Return a customer to copy.

    Raises AssertionError if the items written here are not exactly those of the product.
    """
    add_settings_and_key(CHECKED)
    before = _stored()
    made = [_created(CHECKED, number) for number in range(CHECKED.customers)]
    first = made[0]
    ours = [
        _copy(first, CHECKED, number, row.id, row.created_at) for number, row in enumerate(made)
    ]
    assert ours == made, (ours, made)
    counted: Counter[Key] = Counter()
    items = [dynamodb.item_from(put) for put in _items(ours, counted)]
    items += [{"pk": key.pk, "sk": key.sk, "n": count} for key, count in counted.items()]
    stored = [item for item in _stored() if item not in before]
    assert _comparable(items) == _comparable(stored), (items, stored)
    return first


def fill(organization: Organization, first: Customer) -> None:
    """Store an organization's customers, evenly over a year, as copies of the first."""
    add_settings_and_key(organization)
    interval = YEAR / organization.customers
    times = [BEGIN + number * interval for number in range(organization.customers)]
    rows = (
        _copy(first, organization, number, new_id("cust", at), at)
        for number, at in enumerate(times)
    )
    counted: Counter[Key] = Counter()
    with ThreadPoolExecutor(THREADS) as pool:
        puts, sent = _items(rows, counted), deque[Future[None]]()
        while batch := list(islice(puts, BATCH)):
            sent.append(pool.submit(_put, batch))
            if len(sent) > MAX_QUEUED:  # keeps few batches in memory
                sent.popleft().result()
        for each in sent:
            each.result()
    for key, count in counted.items():
        dynamodb.write(dynamodb.add(key, count))


def add_settings_and_key(organization: Organization) -> None:
    """Store the settings of an organization with several shards, and an API key."""
    if organization.shards > 1:
        spread = {"read_shards": organization.shards, "write_shards": organization.shards}
        dynamodb.write(dynamodb.put(keys.organization_settings(organization.id), spread))
    credential = Credential(
        id=new_id("cred", clock.now()),
        kind="api_key",
        organization_id=organization.id,
        ends_with=organization.api_key[-4:],
        created_at=clock.now(),
    )
    credential_items.insert(credential, organization.api_key, None)


def _fields(number: int) -> dict[str, str]:
    """What a caller sends: different for each number, and of the same length."""
    first, last = "Nadia", f"Okoro{number:06d}"
    email = f"nadia.{number:06d}@shop.test"
    return {"first_name": first, "last_name": last, "email": email}


def _created(organization: Organization, number: int) -> Customer:
    """Create a customer with the use case, in its own transaction."""
    caller = Caller(key_of=organization.id)
    run = RunContext(cause="api", ends_at=clock.now() + timedelta(minutes=1))
    fields = cast(CustomerFields, _fields(number))
    return organization_customers.create(caller, fields, "required", run).customer


def _copy(
    first: Customer, organization: Organization, number: int, made: str, at: datetime
) -> Customer:
    fields: dict[str, Any] = _fields(number)
    shard = organization_items.shard_of(organization.id, suffix(made))
    name = joined_name(fields["first_name"], fields["last_name"])
    known = {"id": made, "uid": suffix(made), "organization_id": organization.id, "shard": shard}
    times = {"created_at": at, "updated_at": at}
    return replace(first, **(fields | known | times | {"name": name}))


def _items(customers: Iterable[Customer], counted: Counter[Key]) -> Iterator[Item]:
    """Yield the items that their creations put. What they add to counters is added to `counted`."""
    for customer in customers:
        for action in customer_items.creation(customer, as_own=False).values():
            if "Put" in action:
                yield action["Put"]["Item"]
            else:
                key = dynamodb.item_from(action["Update"]["Key"])
                added = dynamodb.item_from(action["Update"]["ExpressionAttributeValues"])
                counted[Key("ledger", **key)] += added[":amount"]


def _put(items: list[Item]) -> None:
    requests = [{"PutRequest": {"Item": item}} for item in items]
    batch = {config.table_name("ledger"): requests}
    left = dynamodb.client().batch_write_item(RequestItems=batch)["UnprocessedItems"]
    assert not left, left


def _stored() -> list[Item]:
    """Return all items of the ledger, while it is small."""
    answer = dynamodb.client().scan(TableName=config.table_name("ledger"), ConsistentRead=True)
    assert "LastEvaluatedKey" not in answer
    return [dynamodb.item_from(item) for item in answer["Items"]]


def _comparable(items: list[Item]) -> tuple[list[Item], Counter[str]]:
    """Return the items in a fixed order, and the sum of each month's counts.

    A month's count is spread over its parts at random, so only the sum can be compared.
    """
    months: Counter[str] = Counter()
    rows = []
    for item in items:
        if "n" in item:
            months[item["pk"] + item["sk"].partition("#")[0]] += item["n"]
        else:
            rows.append(item)
    return sorted(rows, key=lambda item: (item["pk"], item["sk"])), months
