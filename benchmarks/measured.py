"""The measured process: one variant, one endpoint; it answers its standard input line by line.

`python -m benchmarks.measured <variant> <endpoint> <first number of its requests>`. A line is a
count of requests to make; the answer is one line of JSON behind MARK. What the handler logs is
written and goes nowhere: to wake a reader at every line would be counted as its work.
"""

import gc
import importlib
import itertools
import json
import os
import resource
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, TextIO

MARK = "> "
Event = dict[str, Any]


class Context:
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 25_000


def load(variant: str, endpoint: str) -> tuple[Callable[..., Any], Any]:
    """The handler, and the DynamoDB client behind it."""
    if variant == "bridge":
        handler = importlib.import_module(f"functions.native.{endpoint}.handler").handler
        return handler, importlib.import_module("bridge.store.dynamodb").client()
    client = importlib.import_module("benchmarks.calls").client
    if variant == "bare":
        return importlib.import_module("benchmarks.bare").HANDLERS[endpoint], client
    return importlib.import_module("benchmarks.fastapi_app").handler, client


def cost(
    handler: Callable[..., Any], event: Event, expected: tuple[int, ...] = (200, 201)
) -> tuple[float, float]:
    """What a request took: of this process's CPU (all its threads), and of the clock; in ms."""
    started, started_cpu = time.perf_counter(), time.process_time()
    answer = handler(event, Context())
    cpu, wall = time.process_time() - started_cpu, time.perf_counter() - started
    if answer["statusCode"] not in expected:
        sys.exit(f"{event['routeKey']}: {answer}")
    return cpu * 1000, wall * 1000


def batch(
    handler: Callable[..., Any], events: list[Event], expected: tuple[int, ...] = (200, 201)
) -> dict[str, float]:
    """Means of one batch; nothing of it is left when it has returned."""
    costs = [cost(handler, event, expected) for event in events]
    cpu, wall = (sum(each) / len(costs) for each in zip(*costs, strict=True))
    return {"cpu_ms": cpu, "wall_ms": wall}


def calls_of(act: Callable[[], object], client: Any) -> list[tuple[str, int]]:
    """Which calls `act` makes, with the bytes of each: DynamoDB's, then the provider's."""
    heard: list[tuple[str, int]] = []

    def hear(model: Any, params: dict[str, Any], **_: object) -> None:
        heard.append((model.name, len(params["body"])))

    before = len(_asked_of_stripe())
    client.meta.events.register("before-call.dynamodb", hear)
    act()
    client.meta.events.unregister("before-call.dynamodb", hear)
    asked = _asked_of_stripe()[before:]
    return heard + [(f"Stripe {each['operation']}", len(each["body"])) for each in asked]


def _asked_of_stripe() -> list[dict[str, Any]]:
    with urllib.request.urlopen(os.environ["STRIPE_BASE_URL"] + "/_sim/requests") as answer:
        return list(json.load(answer))


def memory() -> dict[str, float]:
    """Python's memory blocks, and the most that this process ever held, in kB."""
    gc.collect()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"blocks": sys.getallocatedblocks(), "resident_kb": resident}


def without_bytecode() -> list[str]:
    """Modules that were compiled while they were measured."""
    modules = {name: each for name, each in sys.modules.items() if name != "__main__"}
    specs = [getattr(module, "__spec__", None) for module in modules.values()]
    return [
        spec.name
        for spec in specs
        if spec and spec.cached and spec.has_location and not os.path.exists(spec.cached)
    ]


def main(variant: str, endpoint: str, first: str) -> None:
    told = silence()
    handler, client = load(variant, endpoint.removesuffix("_deep"))
    loaded = time.process_time() * 1000
    events: Iterator[Event] = importlib.import_module("benchmarks.events").of(endpoint, int(first))
    answered, _ = cost(handler, next(events))
    calls = calls_of(lambda: cost(handler, next(events)), client)
    known = {"cold_ms": loaded + answered, "calls": calls}
    tell(told, known | {"without_bytecode": without_bytecode()})
    for line in sys.stdin:
        tell(told, batch(handler, list(itertools.islice(events, int(line)))) | memory())


def silence() -> TextIO:
    """Nothing is printed from here on, but to what this gives."""
    told, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115 - until the end
    return told


def tell(told: TextIO, answer: dict[str, Any]) -> None:
    print(MARK + json.dumps(answer), flush=True, file=told)


if __name__ == "__main__":
    main(*sys.argv[1:])
