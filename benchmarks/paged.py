"""The process that measures a page of customers. It has one line of output per line of input.

`python -m benchmarks.paged <page> <customers> <shards>`: see benchmarks.customer_pages. The lines
are as in benchmarks.measured. Read units are those that DynamoDB returns with each call.
"""

import importlib
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.customer_pages import MIDDLE, PAGES, Organization, Page, event
from benchmarks.measured import Context, Event, batch, send, silence, without_bytecode

Handler = Callable[..., Any]
READS = ("GetItem", "BatchGetItem", "Query")


def read_units(act: Callable[[], object], client: Any) -> float:
    """Run `act` and return what it reads, in read capacity units."""
    found: list[float] = []

    def request_units(params: dict[str, Any], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def add_units(parsed: dict[str, Any], **_: object) -> None:
        capacity = parsed["ConsumedCapacity"]
        tables = capacity if isinstance(capacity, list) else [capacity]
        found.extend(each["CapacityUnits"] for each in tables)

    hooks: list[tuple[str, Callable[..., None]]]
    hooks = [(f"before-parameter-build.dynamodb.{name}", request_units) for name in READS]
    hooks += [(f"after-call.dynamodb.{name}", add_units) for name in READS]
    for hook in hooks:
        client.meta.events.register(*hook)
    act()
    for hook in hooks:
        client.meta.events.unregister(*hook)
    return sum(found)


def request(page: Page, organization: Organization, handler: Handler) -> Event:
    """Return the event. Its cursors are those of a page in the middle of the list."""
    query = page.query
    if "{" in query:
        middle = handler(event(page.endpoint, MIDDLE, organization), Context())
        query = query.format(**json.loads(middle["body"]))
    return event(page.endpoint, query, organization)


def check(page: Page, answer: dict[str, Any]) -> None:
    """End the run if the response is not the one to measure."""
    body = json.loads(answer["body"])
    customers = body["data"] if isinstance(body, dict) and "data" in body else body
    length = len(customers) if isinstance(customers, list) else 0
    if (answer["statusCode"], length) != (page.status, page.length):
        sys.exit(f"{page}: {answer}")


def main(name: str, customers: str, shards: str) -> None:
    """Check the page, send its read units, then measure a batch for each line of input."""
    output = silence()
    page, organization = PAGES[name], Organization(int(customers), int(shards))
    handler = importlib.import_module(f"functions.{page.endpoint}.handler").handler
    client = importlib.import_module("bridge.store.dynamodb").client()
    page_event = request(page, organization, handler)
    check(page, handler(page_event, Context()))
    units = read_units(partial(handler, page_event, Context()), client)
    send(output, {"read_units": units, "without_bytecode": without_bytecode()})
    for line in sys.stdin:
        send(output, batch(handler, [page_event] * int(line), (page.status,)))


if __name__ == "__main__":
    main(*sys.argv[1:])
