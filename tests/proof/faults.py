"""Makes the next transactions of DynamoDB fail, or loses their answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from bridge.store import dynamodb
from tests.store.conftest import Body, answer_lost

CANCELED = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
REASONS = {"conflict": "TransactionConflict", "throttled": "ThrottlingError"}


@contextmanager
def of_the_store(fault: str) -> Iterator[None]:
    """Around an act: what goes wrong with its first transaction.

    `fault` is `conflict`, `throttled`, `answer_lost`, or "" for none. `conflict_3` goes wrong three
    times: every try of the store fails.
    """
    if not fault:
        yield
        return
    kind, _, times = fault.partition("_") if fault != "answer_lost" else (fault, "", "")
    left = [int(times or 1)]

    def befall(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        if left[0] == 0:
            return None
        left[0] -= 1
        if kind == "answer_lost":
            return answer_lost(request)
        body = {"__type": CANCELED, "CancellationReasons": [{"Code": REASONS[kind]}]}
        return AWSResponse(request.url, 400, {}, Body(json.dumps(body).encode()))

    events = dynamodb.client().meta.events
    events.register("before-send.dynamodb.TransactWriteItems", befall)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb.TransactWriteItems", befall)
