"""The measured process: one variant, one endpoint. It has one line of output per line of input.

`python -m benchmarks.measured <variant> <endpoint> <first number of its requests>`. A line of input
is a count of requests to make. The output is one line of JSON after MARK. The handler's log lines
go to /dev/null: a pipe would wake its reader at every line, and that would count as CPU.
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
    """What the handlers read of Lambda's context."""

    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 25_000


def load(variant: str, endpoint: str) -> tuple[Callable[..., Any], Any]:
    """Return the handler and its DynamoDB client."""
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
    """Run a request; return the CPU of this process (all threads) and the time, in ms.

    Ends the run for an unexpected status.
    """
    started, started_cpu = time.perf_counter(), time.process_time()
    answer = handler(event, Context())
    cpu, wall = time.process_time() - started_cpu, time.perf_counter() - started
    if answer["statusCode"] not in expected:
        sys.exit(f"{event['routeKey']}: {answer}")
    return cpu * 1000, wall * 1000


def batch(
    handler: Callable[..., Any], events: list[Event], expected: tuple[int, ...] = (200, 201)
) -> dict[str, float]:
    """Run a batch; return the means. Keeps nothing, so that memory growth can be measured."""
    costs = [cost(handler, event, expected) for event in events]
    cpu, wall = (sum(each) / len(costs) for each in zip(*costs, strict=True))
    return {"cpu_ms": cpu, "wall_ms": wall}


def calls_of(act: Callable[[], object], client: Any) -> list[tuple[str, int]]:
    """Run `act`; return its calls with their bytes: DynamoDB's, then the provider's."""
    calls: list[tuple[str, int]] = []

    def add_call(model: Any, params: dict[str, Any], **_: object) -> None:
        calls.append((model.name, len(params["body"])))

    before = len(_stripe_requests())
    client.meta.events.register("before-call.dynamodb", add_call)
    act()
    client.meta.events.unregister("before-call.dynamodb", add_call)
    sent = _stripe_requests()[before:]
    return calls + [(f"Stripe {each['operation']}", len(each["body"])) for each in sent]


def _stripe_requests() -> list[dict[str, Any]]:
    with urllib.request.urlopen(os.environ["STRIPE_BASE_URL"] + "/_sim/requests") as answer:
        return list(json.load(answer))


def memory() -> dict[str, float]:
    """Python's memory blocks, and the peak resident memory of this process in kB."""
    gc.collect()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"blocks": sys.getallocatedblocks(), "resident_kb": resident}


def without_bytecode() -> list[str]:
    """Return the modules without compiled bytecode: compiling them would be measured too."""
    modules = {name: each for name, each in sys.modules.items() if name != "__main__"}
    specs = [getattr(module, "__spec__", None) for module in modules.values()]
    return [
        spec.name
        for spec in specs
        if spec and spec.cached and spec.has_location and not os.path.exists(spec.cached)
    ]


def main(variant: str, endpoint: str, first: str) -> None:
    """Send the cost of the cold start and the calls of a request, then measure batches."""
    output = silence()
    handler, client = load(variant, endpoint.removesuffix("_deep"))
    loaded = time.process_time() * 1000
    events: Iterator[Event] = importlib.import_module("benchmarks.events").of(endpoint, int(first))
    first_request, _ = cost(handler, next(events))
    calls = calls_of(lambda: cost(handler, next(events)), client)
    known = {"cold_ms": loaded + first_request, "calls": calls}
    send(output, known | {"without_bytecode": without_bytecode()})
    for line in sys.stdin:
        send(output, batch(handler, list(itertools.islice(events, int(line)))) | memory())


def silence() -> TextIO:
    """Send all prints to /dev/null from now on. Returns the real standard output."""
    output, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115 - stays open
    return output


def send(output: TextIO, answer: dict[str, Any]) -> None:
    """Write one line of JSON after MARK."""
    print(MARK + json.dumps(answer), flush=True, file=output)


if __name__ == "__main__":
    main(*sys.argv[1:])
