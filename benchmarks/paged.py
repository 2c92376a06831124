"""The measured process of a page of customers; it answers its standard input line by line.

`python -m benchmarks.paged <page> <customers> <shards>`: see benchmarks.customer_pages. The lines
are those of benchmarks.measured. What a page reads is what DynamoDB says of each call.
"""

import importlib
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.customer_pages import MIDDLE, PAGES, Organization, Page, event
from benchmarks.measured import Context, Event, batch, silence, tell, without_bytecode

Handler = Callable[..., Any]
READS = ("GetItem", "BatchGetItem", "Query")


def read_units(act: Callable[[], object], client: Any) -> float:
    """What `act` reads, in read capacity units."""
    found: list[float] = []

    def ask(params: dict[str, Any], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def hear(parsed: dict[str, Any], **_: object) -> None:
        told = parsed["ConsumedCapacity"]
        of_tables = told if isinstance(told, list) else [told]
        found.extend(each["CapacityUnits"] for each in of_tables)

    hooks: list[tuple[str, Callable[..., None]]]
    hooks = [(f"before-parameter-build.dynamodb.{name}", ask) for name in READS]
    hooks += [(f"after-call.dynamodb.{name}", hear) for name in READS]
    for hook in hooks:
        client.meta.events.register(*hook)
    act()
    for hook in hooks:
        client.meta.events.unregister(*hook)
    return sum(found)


def request(page: Page, organization: Organization, handler: Handler) -> Event:
    """With the cursors that the API itself gives for a place in the middle of the list."""
    query = page.query
    if "{" in query:
        middle = handler(event(page.endpoint, MIDDLE, organization), Context())
        query = query.format(**json.loads(middle["body"]))
    return event(page.endpoint, query, organization)


def check(page: Page, answer: dict[str, Any]) -> None:
    """Ends the run where the answer is not the one that was to be measured."""
    body = json.loads(answer["body"])
    shown = body["data"] if isinstance(body, dict) and "data" in body else body
    length = len(shown) if isinstance(shown, list) else 0
    if (answer["statusCode"], length) != (page.status, page.shown):
        sys.exit(f"{page}: {answer}")


def main(name: str, customers: str, shards: str) -> None:
    told = silence()
    page, organization = PAGES[name], Organization(int(customers), int(shards))
    handler = importlib.import_module(f"functions.{page.endpoint}.handler").handler
    client = importlib.import_module("bridge.store.dynamodb").client()
    asked = request(page, organization, handler)
    check(page, handler(asked, Context()))
    units = read_units(partial(handler, asked, Context()), client)
    tell(told, {"read_units": units, "without_bytecode": without_bytecode()})
    for line in sys.stdin:
        tell(told, batch(handler, [asked] * int(line), (page.status,)))


if __name__ == "__main__":
    main(*sys.argv[1:])
