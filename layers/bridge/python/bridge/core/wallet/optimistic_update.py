"""Changes a record of a customer's wallet as it was read; after a conflict it tries again.

Source: docs/data-model.md, section 3 ("Unique ids, defaults, versions").
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from bridge.core.rules import access
from bridge.errors import TemporarilyUnavailable
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.store import dynamodb

# Every change in a wallet raises the version of its customer. So of many changes at once, one
# succeeds in each round, and the others try again.
WALLET_WRITE_TRIES = 20

Record = TypeVar("Record")
Find = Callable[[Caller, str], tuple[Record, Customer]]
Act = Callable[[Record, Customer], Record]


def change(
    caller: Caller, record_id: str, find: Find[Record], act: Act[Record], subject: str
) -> Record:
    """Find a record and call `act` with it. After a version conflict, find it and act again.

    `subject`: the kind of record, for the message of the error.
    Raises what `find` and `act` raise, Forbidden, TemporarilyUnavailable.
    """
    record, customer = find(caller, record_id)
    access.check_writable(customer, caller)
    for _ in range(WALLET_WRITE_TRIES):
        try:
            return act(record, customer)
        except dynamodb.VersionConflict:
            record, customer = find(replace(caller, prefetched={}), record_id)
    raise contended(subject)


def contended(subject: str) -> TemporarilyUnavailable:
    """Return the error for a record that too many requests change at once."""
    return TemporarilyUnavailable(f"the customer's {subject} are contended", retry_after=1)
