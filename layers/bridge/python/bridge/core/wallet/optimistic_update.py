"""What a customer holds, its payment methods and addresses: changed as it was seen."""

from collections.abc import Callable
from typing import TypeVar

from bridge.core.rules import access
from bridge.errors import TemporarilyUnavailable
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.store import dynamodb

WALLET_WRITE_TRIES = 20  # many may change one customer at once; each round one of them gets through

Record = TypeVar("Record")
Find = Callable[[Caller, str], tuple[Record, Customer]]
Act = Callable[[Record, Customer], Record]


def change(
    caller: Caller, record_id: str, find: Find[Record], act: Act[Record], subject: str
) -> Record:
    """Act on a record that is as it was seen, again where somebody was faster.

    Raises what `find` raises, Forbidden, TemporarilyUnavailable, which names the subject.
    """
    record, customer = find(caller, record_id)
    access.check_writable(customer, caller)
    for _ in range(WALLET_WRITE_TRIES):
        try:
            return act(record, customer)
        except dynamodb.VersionConflict:
            record, customer = find(caller.model_copy(update={"prefetched": {}}), record_id)
    raise contended(subject)


def contended(subject: str) -> TemporarilyUnavailable:
    return TemporarilyUnavailable(f"the customer's {subject} are contended", retry_after=1)
