"""What goes wrong around a worker: with DynamoDB, its index of what is due, SSM, or its patience.

Each is done to the requests of the SDKs just before they leave. Nothing of our code is replaced.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from bridge import aws, ssm
from bridge.providers import stripe_calls
from bridge.store import dynamodb
from tests.store.conftest import Body, answer_lost

CANCELED = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
REASONS = {"conflict": "TransactionConflict", "throttled": "ThrottlingError"}
TIMEOUT_S = 1  # the shortest that a call may have, so that a timeout costs little real time

Befall = Callable[[AWSPreparedRequest], AWSResponse | None]


@contextmanager
def around(fault: str, index: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Around an act: what goes wrong while it runs. "" is nothing. Yields what really went wrong.

    - `conflict`, `throttled`, `answer_lost`: its first transaction. `conflict_3`: every try of it.
    - `ssm`: secrets cannot be read. `timeouts`: the provider must answer within a second.
    - `lagging`: the index of what is due shows `index`, the items of a while ago.
    """
    met: list[str] = []

    def befalling(client: Any, operation: str, befall: Befall) -> AbstractContextManager[None]:
        def noted(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
            if answer := befall(request):
                met.append(fault)
            return answer

        return _before_send(client, operation, noted)

    match fault:
        case "":
            yield met
        case "ssm":
            ssm.forget_secrets()
            with befalling(aws.client("ssm", 1), "ssm.GetParameter", _unreadable):
                yield met
        case "lagging":
            with befalling(dynamodb.client(), "dynamodb.Query", _index_of_before(index)):
                yield met
        case "timeouts":
            with patch.multiple(stripe_calls, FAST_S=TIMEOUT_S, SLOW_S=TIMEOUT_S):
                yield met
        case _:
            befall = _first_transactions(fault)
            with befalling(dynamodb.client(), "dynamodb.TransactWriteItems", befall):
                yield met


@contextmanager
def _before_send(client: Any, operation: str, answer: Callable[..., object]) -> Iterator[None]:
    events = client.meta.events
    events.register(f"before-send.{operation}", answer)
    try:
        yield
    finally:
        events.unregister(f"before-send.{operation}", answer)


def _answer(request: AWSPreparedRequest, status: int, body: object) -> AWSResponse:
    return AWSResponse(request.url, status, {}, Body(json.dumps(body).encode()))


def _unreadable(request: AWSPreparedRequest) -> AWSResponse:
    return _answer(request, 500, {"__type": "InternalServerError"})


def _index_of_before(index: list[dict[str, Any]]) -> Befall:
    def answer(request: AWSPreparedRequest) -> AWSResponse | None:
        asked = json.loads(request.body)
        if asked.get("IndexName") != "due":
            return None
        values = asked["ExpressionAttributeValues"]
        shard, now = values[":shard"]["S"], int(values[":now"]["N"])
        found = [each for each in index if each["due_pk"] == shard and each["due_at"] <= now]
        items = [dynamodb.typed(each) for each in found]
        return _answer(request, 200, {"Items": items, "Count": len(items)})

    return answer


def _first_transactions(fault: str) -> Befall:
    kind, _, times = fault.partition("_") if fault != "answer_lost" else (fault, "", "")
    left = [int(times or 1)]

    def befall(request: AWSPreparedRequest) -> AWSResponse | None:
        if left[0] == 0:
            return None
        left[0] -= 1
        if kind == "answer_lost":
            return answer_lost(request)
        body = {"__type": CANCELED, "CancellationReasons": [{"Code": REASONS[kind]}]}
        return _answer(request, 400, body)

    return befall
