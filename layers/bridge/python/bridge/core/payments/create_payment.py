"""Create a payment: the row first, then the provider's object; and the replay of a creation.

The row is written with its lock (T1, `payment_writes.insert_locked`) before the provider is
called. So after a crash there is a payment that is due, and the sweep finishes it. There is never
an object at the provider that no row of ours belongs to (rule 1).

Source: docs/api/native.md, section 4; docs/payment-correctness.md, sections 4 and 5.
"""

from typing import TYPE_CHECKING

from bridge import clock
from bridge.core.customers import payers
from bridge.core.payment_state import attempts, synchronize
from bridge.core.payments import amounts, return_urls
from bridge.core.rules import (
    access,
    crash_points,
    guest_requirements,
    idempotency,
    rate_limits,
    scheduling,
)
from bridge.core.wallet import payment_methods
from bridge.errors import (
    NotExecuted,
    NotFound,
    ProviderUnavailable,
    TemporarilyUnavailable,
    UnknownOutcome,
)
from bridge.models.caller import Caller
from bridge.models.customer import Guest
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.identifier import new_id, suffix
from bridge.models.payment import AttemptOutcome, Payment, PaymentResult
from bridge.models.run_context import ClientKey, RunContext
from bridge.providers import registry
from bridge.store.customers import organization_items
from bridge.store.dedupe import idempotency_items
from bridge.store.payments import payment_items, payment_writes

if TYPE_CHECKING:
    from bridge.bodies.payment import NewPayment


def create_payment_intent(caller: Caller, new: "NewPayment", run: RunContext) -> PaymentResult:
    """Create a payment and the provider's object for it. Moves no money.

    If the client's key has been used before, the answer is the payment of that request. Raises
    InvalidRequest, NotAuthenticated, Forbidden, NotFound, Conflict, RateLimited, NotExecuted,
    TemporarilyUnavailable.
    """
    if not caller.is_user:
        caller = Caller()  # a guest token of another record gives no rights here (B8)
        guest_requirements.check(new.guest_data, run)
    record = _record_of_creation(caller, new, run)
    if record is None:
        try:
            return _create_at_provider(_reserve(caller, new, run), run)
        except idempotency_items.KeyTaken as taken:
            record = taken.record
    return _replay_creation(caller, new, record, run)


def _record_key(caller: Caller, new: "NewPayment", key: ClientKey) -> str:
    """The key of the idempotency record: its scope is the user, or the guest's e-mail."""
    email = new.guest_data.email if new.guest_data else None
    return idempotency_items.of_creation(key.key, user_id=caller.user_id, email=email)


def _record_of_creation(
    caller: Caller, new: "NewPayment", run: RunContext
) -> IdempotencyRecord | None:
    """The idempotency record of this request's key, if there is one."""
    if run.client_key is None:
        return None
    return idempotency_items.get(_record_key(caller, new, run.client_key), clock.seconds())


def _reserve(caller: Caller, new: "NewPayment", run: RunContext) -> Payment:
    """Check everything, then write the row with its lock: T1 of a creation.

    All checks come first, since after T1 there is a payment that stays stored. Raises KeyTaken,
    and what `create_payment_intent` raises.
    """
    if new.guest_data and not caller.is_user:
        rate_limits.check_guest_creation(run, new.guest_data.email)
    registry.check_open(new.provider_id)
    access.check_writer(caller, new.organization_id)
    return_urls.check(return_url=new.return_url, cancel_url=new.cancel_url)
    sums = amounts.complete(new)
    provider = registry.open_provider(new.provider_id)
    provider.check_ready()
    provider.check_amount(sums["total_cents"], new.currency)
    method = None
    if new.payment_method_id:
        method = payment_methods.resolve(caller, new.payment_method_id, new.provider_id)
    owner = method.customer if method else None
    for _ in range(scheduling.WRITE_TRIES):
        payer = payers.find(caller, new, owner, run)
        payment = _row(caller, new, sums, payer)
        # The token of a saved method is a secret: it is sent with the confirm only. This request
        # is stored in the row.
        sent = provider.write_creation(payment, method.token if method and not owner else None)
        record = None
        if run.client_key:
            place = _record_key(caller, new, run.client_key)
            record = idempotency.new_record(place, run.client_key, payment.id)
        request = attempts.request_hash("create", new.model_dump_json(exclude_unset=True))
        locked = attempts.lock_for(payment, "create", request, run, sent=sent, record=record)
        crash_points.reach("locking", payment.id)
        try:
            return payment_writes.insert_locked(locked, record, payer.writes)
        except payment_writes.CustomerTaken:
            continue  # another request has made the caller's own customer: find it
        except payment_writes.CustomerGone:
            if owner or new.customer_id:
                raise NotFound from None  # the named customer; the caller's own is made again
    raise TemporarilyUnavailable("the payment could not be stored", retry_after=1)


def _row(
    caller: Caller,
    new: "NewPayment",
    sums: amounts.Amounts,
    payer: payers.Payer,
) -> Payment:
    """The new payment, not locked and not stored yet."""
    now = clock.now()
    payment_id = new_id("pay", now)
    guest = Guest(**new.guest_data.model_dump()) if new.guest_data else None
    return_url = new.return_url or return_urls.default()
    computed = {"guest_data", "customer_id", "return_url", *amounts.AMOUNTS}
    return Payment(
        id=payment_id,
        uid=suffix(payment_id),
        user_id=caller.user_id,
        guest=None if caller.is_user else guest,
        customer_id=payer.customer_id,
        provider_customer_id=payer.provider_customer_id,
        return_url=return_url,
        may_redirect=return_url is not None,
        shard=organization_items.shard_of(new.organization_id, suffix(payment_id)),
        changed_at=now,
        created_at=now,
        updated_at=now,
        **sums,
        **new.model_dump(exclude=computed),
    )


def _create_at_provider(locked: Payment, run: RunContext) -> PaymentResult:
    """Send the creation once, then record how it ended (T2), which releases the lock.

    If the outcome is unknown, the lock stays and status checks are scheduled (rule 4). Raises
    NotExecuted.
    """
    crash_points.reach("locked", locked.id)
    attempt = locked.locked_attempt
    provider = registry.open_provider(locked.provider_id)
    try:
        provider_state = provider.create_payment(
            attempt.sent or "", key=attempt.key, ends_at=run.ends_at
        )
    except UnknownOutcome as unknown:
        synchronize.schedule_status_checks(locked, unknown)
        return PaymentResult(payment=locked, retry_after=idempotency.seconds_left(locked))
    except ProviderUnavailable as unavailable:
        # The lock stays. A status check of a creation is the same keyed call, and another worker
        # may have sent one meanwhile: it could still make the object (rule 4).
        synchronize.schedule_status_checks(locked, unavailable)
        raise
    except NotExecuted as refusal:
        crash_points.reach("answered", locked.id)
        refused = synchronize.refusal_outcome(attempt, refusal)
        written = synchronize.record_outcome(locked, None, refused, run)
        if answer := attempts.stored_answer(locked, written):
            return answer
        raise
    crash_points.reach("answered", locked.id)
    outcome = AttemptOutcome(attempt=attempt.number, kind="done")
    written = synchronize.record_outcome(locked, provider_state, outcome, run)
    if written.active_attempt and written.active_attempt.operation == "create":
        return PaymentResult(payment=written, retry_after=idempotency.seconds_left(written))
    return attempts.stored_answer(locked, written) or PaymentResult(payment=written)


def _replay_creation(
    caller: Caller, new: "NewPayment", record: IdempotencyRecord, run: RunContext
) -> PaymentResult:
    """Answer a repeated request from the record of its key.

    If the first request never finished, it is finished here: the status check of a creation is the
    same keyed call. Raises NotFound, Conflict, NotExecuted.
    """
    if run.client_key:
        idempotency.check_same(record, run.client_key)
    payment, _ = payment_items.read(record.subject_id, None, clock.seconds())
    if payment is None:
        raise NotFound
    if record.state == "done":
        return idempotency.replay(record, payment)
    try:
        payment = synchronize.synchronize(payment, run)
    except UnknownOutcome:
        return PaymentResult(payment=payment, retry_after=idempotency.seconds_left(payment))
    except TemporarilyUnavailable:  # many ask at once: the record has what the others have found
        fresh, _ = payment_items.read(payment.id, None, clock.seconds())
        payment = fresh or payment
    closed = _record_of_creation(caller, new, run)
    if closed is None:  # the creation ended without an object, so the key is free again
        return create_payment_intent(caller, new, run)
    if closed.state == "done":
        return idempotency.replay(closed, payment)
    return PaymentResult(payment=payment, retry_after=idempotency.seconds_left(payment))
