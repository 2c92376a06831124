"""What the tests of the store share: responses that a local DynamoDB never gives, and records."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
import requests
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from bridge import clock
from bridge.models.credential import Credential, CredentialKind
from bridge.models.customer import Customer
from bridge.models.identifier import new_id, suffix
from bridge.models.payment import ActiveAttempt, IdempotencyKeyReference, Payment
from bridge.store import dynamodb
from bridge.store.access import credential_items
from local import database
from tests import records

NOW = 1_800_000_000
DAY = 24 * 3600
FRESH_WRITE: dict[str, dict[str, Any]] = {}  # no actions for the customer of a new payment


@dataclass
class Body:
    """A response body that botocore can read."""

    content: bytes

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.content


@dataclass
class Wire:
    """The requests of a boto3 client just before they leave.

    A test can watch them, or replace their responses.
    """

    undo: ExitStack
    client: Any
    requests: list[dict[str, Any]] = field(default_factory=list)

    def listen(self, operation: str, answer: Callable[[AWSPreparedRequest], Any]) -> None:
        """Record the requests of an operation. `answer` may return a response to use instead."""
        events = self.client.meta.events

        def record_and_answer(request: AWSPreparedRequest, **_: object) -> Any:
            self.requests.append(json.loads(request.body))
            return answer(request)

        service = self.client.meta.service_model.service_name
        name = f"before-send.{service}.{operation}"
        events.register(name, record_and_answer)
        self.undo.callback(events.unregister, name, record_and_answer)

    def watch(self, operation: str) -> None:
        """Record the requests and let them pass."""
        self.listen(operation, lambda _: None)

    def answer(
        self, operation: str, status: int, body: dict[str, Any], times: int | None = 1
    ) -> None:
        """Give this response so many times instead of the real one; None: always."""
        left = [times]

        def instead(request: AWSPreparedRequest) -> AWSResponse | None:
            if left[0] == 0:
                return None
            if left[0] is not None:
                left[0] -= 1
            return self.response(request, status, body)

        self.listen(operation, instead)

    def response(
        self, request: AWSPreparedRequest, status: int, body: dict[str, Any]
    ) -> AWSResponse:
        """A response with a JSON body."""
        return AWSResponse(request.url, status, {}, Body(json.dumps(body).encode()))

    def cancel(self, *reasons: str, times: int | None = 1) -> None:
        """Cancel the next transactions, with one reason for each action."""
        kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
        codes = [{"Code": reason} for reason in reasons]
        body = {"__type": kind, "CancellationReasons": codes}
        self.answer("TransactWriteItems", 400, body, times)

    def lose_answer(self, operation: str) -> None:
        """Let the next request take effect but lose its response, so that the SDK repeats it."""
        left = [1]

        def forward(request: AWSPreparedRequest) -> AWSResponse | None:
            if not left[0]:
                return None
            left[0] -= 1
            return answer_lost(request)

        self.listen(operation, forward)


def answer_lost(request: AWSPreparedRequest) -> AWSResponse:
    """Let a request take effect, and answer 500."""
    headers = {name: database.header_text(value) for name, value in request.headers.items()}
    requests.post(request.url, data=request.body, headers=headers, timeout=5)
    return AWSResponse(request.url, 500, {}, Body(b"{}"))


@pytest.fixture
def wire(tables: None) -> Iterator[Wire]:
    """The requests to DynamoDB, just before they leave."""
    with ExitStack() as undo:
        yield Wire(undo, dynamodb.client())


def customer(**more: object) -> Customer:
    """A customer of user_1 at Stripe."""
    at = clock.now()
    customer_id = str(more.get("id") or new_id("cust", at))
    known = {
        "id": customer_id,
        "uid": suffix(customer_id),
        "provider_id": "stripe",
        "provider_customer_id": f"cus_{suffix(customer_id)}",
        "email": "jane@example.com",
        "user_id": "user_1",
        "created_at": at,
        "updated_at": at,
    }
    return msgspec.convert(known | more, Customer)


def payment(**more: object) -> Payment:
    """A payment of user_1 that is created at Stripe."""
    at = clock.now()
    return records.payment(at, **{"id": new_id("pay", at), "user_id": "user_1"} | more)


def attempt(client_key: IdempotencyKeyReference | None = None, at: int = NOW) -> ActiveAttempt:
    """An active attempt to confirm."""
    return records.attempt(number=1, at=at, until=at + 90, client_key=client_key)


def put_credential(
    kind: CredentialKind, name: str, secret: str | None = None, *, organization_id: str = "org_1"
) -> Credential:
    """A credential that is stored now."""
    credential = Credential(
        id=new_id("cred", clock.now()),
        kind=kind,
        organization_id=organization_id,
        ends_with=name[-4:],
        created_at=clock.now(),
    )
    credential_items.insert(credential, name, secret)
    return credential
