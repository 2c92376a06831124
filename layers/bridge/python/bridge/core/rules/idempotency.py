"""Idempotency keys of clients: reserve one, check it, replay its stored response.

Source: docs/payment-correctness.md, section 5; docs/api/native.md, section 4 (B17).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bridge import clock
from bridge.core.rules import scheduling
from bridge.errors import BridgeError, Conflict, PaymentDeclined
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.model import Model, json_of
from bridge.models.payment import IdempotencyKeyReference, Payment, PaymentResult
from bridge.models.refund import Refund
from bridge.models.run_context import ClientKey, RunContext
from bridge.store.dedupe import idempotency_items
from bridge.store.dedupe.idempotency_items import LIFE_S


def check_same(record: IdempotencyRecord, key: ClientKey) -> None:
    """Raises Conflict if the key was sent with another request before."""
    if record.fingerprint != key.fingerprint:
        message = "this Idempotency-Key was used with another request"
        raise Conflict(message, code="idempotency_key_reused")


def new_record(place: str, key: ClientKey, subject_id: str, *, until: int = 0) -> IdempotencyRecord:
    """An open record, not stored yet. It expires in 24 hours.

    `place`: its partition key. `subject_id`: the payment, refund or other record that the request
    makes or changes. `until`: the second after which the request is over, where no payment's lock
    says so.
    """
    return IdempotencyRecord(
        key=place,
        fingerprint=key.fingerprint,
        subject_id=subject_id,
        expires=clock.seconds() + LIFE_S,
        until=until,
    )


def reserve(place: str, key: ClientKey, subject_id: str, run: RunContext) -> IdempotencyRecord:
    """Open the record of a creation that takes no payment lock.

    Returns the new record, or the record of a request that is over (then with the subject of that
    request, so a retry makes the same record), or one that is done.

    Raises Conflict if the key was used with another request, if the first request still runs, or
    if several retries compete for the key.
    """
    record = new_record(place, key, subject_id, until=int(run.ends_at.timestamp()))
    now = clock.seconds()
    for _ in range(scheduling.WRITE_TRIES):
        try:
            idempotency_items.reserve(record, now)
            return record
        except idempotency_items.KeyTaken as taken:
            stored = taken.record
        check_same(stored, key)
        if stored.state == "done":
            return stored
        if stored.until > now:
            message = "the first request with this Idempotency-Key is still running"
            wait = stored.until - now
            raise Conflict(message, code="idempotency_in_progress", retry_after=wait)
        record = replace(record, subject_id=stored.subject_id)
    raise Conflict("this Idempotency-Key is contended", code="idempotency_in_progress")


def completed(record: IdempotencyRecord, made: Model) -> IdempotencyRecord:
    """The record with its response, to be stored in the transaction that stores `made`."""
    return replace(record, state="done", snapshot=json_of(made))


class Creation(Struct, frozen=True):
    """A creation, under the client's key if the request has one.

    `subject_id`: the id of what is made. A retry after a crash gets the id that the stopped run has
    used, so that it makes the same record. `record`: the reserved record.
    """

    subject_id: str
    record: IdempotencyRecord | None = None

    @property
    def stored_response(self) -> str | None:
        """The response of an earlier request with the same key, as JSON."""
        return self.record.snapshot if self.record and self.record.state == "done" else None

    def completed(self, made: Model) -> IdempotencyRecord | None:
        """The record with its response. None without a key."""
        return completed(self.record, made) if self.record else None


@contextmanager
def creation(place: Callable[[str], str], subject_id: str, run: RunContext) -> Iterator[Creation]:
    """Reserve the client's key for the creation of `subject_id`, and release it on an error.

    So a retry need not wait for the end of this run. That is safe because the retry repeats the
    same call for the same subject. `place`: the record's key for a client's key.
    Raises what `reserve` raises.
    """
    if run.client_key is None:
        yield Creation(subject_id)
        return
    record = reserve(place(run.client_key.key), run.client_key, subject_id, run)
    try:
        yield Creation(record.subject_id, record)
    except BridgeError:
        if record.state == "open":
            idempotency_items.release(record)
        raise


def recorded(record: IdempotencyRecord) -> IdempotencyKeyReference:
    """The reference that a lock keeps, so that any worker that ends the attempt can close it."""
    return IdempotencyKeyReference(
        record=record.key, fingerprint=record.fingerprint, expires=record.expires
    )


def answer(record: IdempotencyRecord, payment: Payment) -> PaymentResult:
    """The response of a record that is done, as every request with its key gets it (rule 19).

    The client secret is never stored in it: it is added from `payment`. Raises PaymentDeclined if
    the request was declined.
    """
    if record.subject_id != payment.id:
        refund = msgspec.json.decode(record.stored_response, type=Refund)
        return PaymentResult(payment=payment, refund=refund)
    stored = msgspec.json.decode(record.stored_response, type=Payment)
    stored = replace(stored, client_secret=payment.client_secret)
    if record.declined:
        raise declined(stored)
    return PaymentResult(payment=stored)


def replay(record: IdempotencyRecord, payment: Payment) -> PaymentResult:
    """The same for a repeated request: the response is marked as replayed."""
    try:
        return replace(answer(record, payment), replayed=True)
    except PaymentDeclined as error:
        error.replayed = True
        raise


def declined(payment: Payment) -> PaymentDeclined:
    """The error for a payment that the provider declined (402).

    Source: docs/api/native.md, section 4, "How a decline is reported".
    """
    failure = payment.failure
    return PaymentDeclined(
        failure.message if failure else "The payment was declined.",
        decline_code=failure.decline_code or failure.code if failure else None,
        payment_id=payment.id,
    )


def in_progress(payment: Payment) -> Conflict:
    """The error for a payment that another call has locked; it says when to try again."""
    return Conflict(
        "another call on this payment is under way",
        code="payment_in_progress",
        retry_after=seconds_left(payment),
    )


def seconds_left(payment: Payment) -> int:
    """Seconds until the lease of the active attempt is over; at least 1."""
    until = payment.active_attempt.until if payment.active_attempt else 0
    return max(1, until - clock.seconds())
