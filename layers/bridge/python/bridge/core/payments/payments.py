"""Payments: create, update, confirm, sync, read. Source: contracts/bridge.md section 4."""

from bridge import clock, config
from bridge.core.customers import payers
from bridge.core.payment_state import attempts, synchronize
from bridge.core.payments import amounts, operations, return_urls
from bridge.core.rules import access, guest_requirements, idempotency, immutable_fields, rate_limits
from bridge.core.wallet import payment_methods
from bridge.errors import (
    NotAuthenticated,
    NotExecuted,
    NotFound,
    ProviderUnavailable,
    TemporarilyUnavailable,
    UnknownOutcome,
)
from bridge.models import identifier
from bridge.models.call import Call, ClientKey
from bridge.models.caller import Caller
from bridge.models.customer import Guest
from bridge.models.identifier import new_id, suffix
from bridge.models.page import Page
from bridge.models.payment import (
    Answered,
    Cancellation,
    Capture,
    Confirmation,
    Ending,
    Entry,
    NewPayment,
    Payment,
    PaymentChange,
)
from bridge.models.record import Record
from bridge.models.refund import NewRefund, Refund
from bridge.models.text import fold_email
from bridge.providers import registry
from bridge.store.customers import customer_items, organization_items
from bridge.store.dedupe import idempotency_items
from bridge.store.payments import payment_items

OWN_FIELDS = {
    "description",
    "concept",
    "reference_code",
    "category",
    "tags",
    "project_id",
    "metadata",
}
FIXED_FIELDS = (
    "id",
    "provider_id",
    "organization_id",
    "customer_id",
    "capture_method",
    "guest_data",
)


def create_payment_intent(caller: Caller, new: NewPayment, call: Call) -> Answered:
    """Reserve a payment, ask its provider for an intent, keep what the provider answered.

    The row is written before the call: a crash in between leaves a due payment for the sweep,
    never an object that nobody knows. Raises InvalidRequest, NotAuthenticated, Forbidden,
    NotFound, Conflict, RateLimited, NotExecuted.
    """
    if not caller.is_user:
        caller = Caller()  # at a creation a guest token counts as no credential (B8)
        guest_requirements.check(new.guest_data, call)
    record = _record_of_creation(caller, new, call)
    if record is None:
        try:
            return _create_at_provider(_reserve(caller, new, call), call)
        except idempotency_items.KeyTaken as taken:
            record = taken.record
    return _replay_creation(caller, new, record, call)


def _place_of_creation(caller: Caller, new: NewPayment, key: ClientKey) -> str:
    email = new.guest_data.email if new.guest_data else None
    return idempotency_items.of_creation(key.key, user_id=caller.user_id, email=email)


def _record_of_creation(caller: Caller, new: NewPayment, call: Call) -> Record | None:
    if call.client_key is None:
        return None
    return idempotency_items.get(_place_of_creation(caller, new, call.client_key), clock.seconds())


def _reserve(caller: Caller, new: NewPayment, call: Call) -> Payment:
    """T1 of a creation: everything is judged, then the row is there, locked.

    Raises KeyTaken, and what `create_payment_intent` raises.
    """
    if new.guest_data and not caller.is_user:
        rate_limits.check_guest_creation(call, new.guest_data.email)
    registry.check_open(new.provider_id)
    access.check_writer(caller, new.organization_id)
    return_urls.check(return_url=new.return_url, cancel_url=new.cancel_url)
    sums = amounts.complete(new)
    provider = registry.open_provider(new.provider_id)
    provider.check_amount(sums["total_cents"], new.currency)
    method = None
    if new.payment_method_id:
        method = payment_methods.resolve(caller, new.payment_method_id, new.provider_id)
    owner = method.customer if method else None
    for _ in range(synchronize.ROUNDS):
        payer = payers.find(caller, new, owner, call)
        payment = _row(caller, new, sums, payer)
        # A saved method's token is a secret, and goes out with the confirm alone.
        sent = provider.write_creation(payment, method.token if method and not owner else None)
        record = None
        if call.client_key:
            place = _place_of_creation(caller, new, call.client_key)
            record = idempotency.new_record(place, call.client_key, payment.id)
        request = attempts.request_hash("create", new)
        locked = attempts.lock_for(payment, "create", request, call, sent=sent, record=record)
        synchronize.step("locking", payment.id)
        try:
            return payment_items.insert_locked(locked, record, payer.writes)
        except payment_items.CustomerTaken:
            continue  # somebody made the caller's own customer first: that one it is
        except payment_items.CustomerGone:
            if owner or new.customer_id:
                raise NotFound from None
    raise TemporarilyUnavailable("the payment could not be stored", retry_after=1)


def _row(
    caller: Caller,
    new: NewPayment,
    sums: dict[str, int],
    payer: payers.Payer,
) -> Payment:
    now = clock.now()
    made = new_id("pay", now)
    guest = Guest(**new.guest_data.model_dump()) if new.guest_data else None
    return_url = new.return_url or return_urls.default()
    taken = {"guest_data", "customer_id", "return_url", *amounts.AMOUNTS}
    return Payment(
        id=made,
        uid=suffix(made),
        user_id=caller.user_id,
        guest=None if caller.is_user else guest,
        customer_id=payer.customer_id,
        provider_customer_id=payer.provider_customer_id,
        return_url=return_url,
        may_redirect=return_url is not None,
        shard=organization_items.shard_of(new.organization_id, suffix(made)),
        changed_at=now,
        created_at=now,
        updated_at=now,
        **sums,
        **new.model_dump(exclude=taken),
    )


def _create_at_provider(locked: Payment, call: Call) -> Answered:
    synchronize.step("locked", locked.id)
    live = locked.held
    provider = registry.open_provider(locked.provider_id)
    try:
        shown = provider.create_payment(live.sent or "", key=live.key, ends_at=call.ends_at)
    except UnknownOutcome as unknown:
        synchronize.leave_to_looks(locked, unknown)
        return Answered(payment=locked, retry_after=idempotency.seconds_left(locked))
    except ProviderUnavailable as unavailable:
        # It stays live: somebody's look, which is the same call, may be on its way (rule 4).
        synchronize.leave_to_looks(locked, unavailable)
        raise
    except NotExecuted as refusal:
        synchronize.step("answered", locked.id)
        synchronize.settle(locked, None, synchronize.refused(live, refusal), call)
        raise
    synchronize.step("answered", locked.id)
    ending = Ending(attempt=live.number, outcome="done")
    settled = synchronize.settle(locked, shown, ending, call)
    if settled.live and settled.live.operation == "create":
        return Answered(payment=settled, retry_after=idempotency.seconds_left(settled))
    return Answered(payment=settled)


def _replay_creation(caller: Caller, new: NewPayment, record: Record, call: Call) -> Answered:
    """What the client's key stands for; an attempt that nobody finished is finished here."""
    if call.client_key:
        idempotency.check_same(record, call.client_key)
    payment, _ = payment_items.read(record.subject_id, None, clock.seconds())
    if payment is None:
        raise NotFound
    if record.state == "done":
        return idempotency.replay(record, payment)
    try:
        payment = synchronize.converge(payment, call)
    except UnknownOutcome:
        return Answered(payment=payment, retry_after=idempotency.seconds_left(payment))
    ended = _record_of_creation(caller, new, call)
    if ended is None:  # it was never created: the key is free again
        return create_payment_intent(caller, new, call)
    if ended.state == "done":
        return idempotency.replay(ended, payment)
    return Answered(payment=payment, retry_after=idempotency.seconds_left(payment))


def get_payment(caller: Caller, payment_id: str) -> Payment:
    """By our id or the provider's. Raises NotFound."""
    return _find(caller, payment_id, None)[0]


def _find(caller: Caller, payment_id: str, call: Call | None) -> tuple[Payment, Record | None]:
    """A payment that the caller may see, with the record of the call's key. Raises NotFound."""
    if not identifier.is_well_formed(payment_id):
        raise NotFound
    known: str | None = payment_id
    if not payment_id.startswith("pay_"):
        known = payment_items.id_at_provider(payment_id, caller.ahead)
    if known is None:
        raise NotFound
    key = call.client_key.key if call and call.client_key else None
    payment, record = payment_items.read(known, key, clock.seconds(), caller.ahead)
    return access.visible(payment, caller), record


def list_payments(caller: Caller, page: Page) -> list[Payment]:
    """The caller's own, an organization's or a customer's, newest first. Raises Forbidden."""
    user_id = access.user_of(caller)
    if page.organization_id:
        access.check_member(caller, page.organization_id)
    if page.customer_id:
        known = identifier.is_well_formed(page.customer_id)
        access.visible(customer_items.get(page.customer_id) if known else None, caller)
        return payment_items.list_of_customer(page.customer_id, user_id, page)
    if page.organization_id:
        return payment_items.list_of_organization(page.organization_id, page)
    return payment_items.list_of_user(user_id, page)


def list_guest_payments(caller: Caller, email: str, page: Page, call: Call) -> list[Payment]:
    """Guest payments of an address, as GUEST_LISTING allows (B10).

    Raises NotFound where it is off, NotAuthenticated where it takes a guest's token, RateLimited.
    """
    mode = config.setting("GUEST_LISTING", "public")
    if mode == "off":
        raise NotFound
    if mode == "token":
        _check_guest_address(caller, email)
    rate_limits.check_guest_listing(call)
    return payment_items.list_of_guest(email, page)


def _check_guest_address(caller: Caller, email: str) -> None:
    known = _guest_address(caller.guest_of) if caller.guest_of else None
    if known is None or fold_email(known) != fold_email(email):
        raise NotAuthenticated("a guest token of this address is required")


def _guest_address(record_id: str) -> str | None:
    """The e-mail of the payment or customer that a guest token opens."""
    if record_id.startswith("pay_"):
        payment = payment_items.get(record_id)
        return payment.guest.email if payment and payment.guest else None
    customer = customer_items.get(record_id)
    return customer.email if customer and customer.state == "active" else None


def sync(caller: Caller, payment_id: str, call: Call) -> Payment:
    """Read the provider, merge, return. Raises NotFound, and NotExecuted or UnknownOutcome when
    the provider cannot be asked: nothing has changed then."""
    payment, _ = _find(caller, payment_id, None)
    return synchronize.converge(payment, call)


def confirm(caller: Caller, payment_id: str, asked: Confirmation, call: Call) -> Answered:
    """Charge the payment once, with the given method, the stored one, or the object's own.

    Raises NotFound, Forbidden, InvalidRequest `payment_method_required`, Conflict,
    PaymentDeclined, NotExecuted.
    """
    payment, record = _find(caller, payment_id, call)
    access.check_writable(payment, caller)
    return_urls.check(return_url=asked.return_url, cancel_url=asked.cancel_url)
    return attempts.run(payment, record, operations.confirming(caller, asked, call), call)


def update(caller: Caller, payment_id: str, change: PaymentChange, call: Call) -> Answered:
    """Change what was sent; what the provider holds only under the lock and before a charge.

    Raises NotFound, Forbidden, InvalidRequest, Conflict `payment_not_updatable`, NotExecuted.
    """
    payment, _ = _find(caller, payment_id, None)
    access.user_of(caller)
    access.check_writable(payment, caller)
    stored = payment.model_dump() | {
        "guest_data": payment.guest.model_dump(exclude_none=True) if payment.guest else None
    }
    immutable_fields.check(change.model_dump(exclude_none=True), stored, FIXED_FIELDS)
    return_urls.check(return_url=change.return_url, cancel_url=change.cancel_url)
    given = set(change.model_dump(exclude_none=True)) - set(FIXED_FIELDS)
    if given <= OWN_FIELDS:
        return Answered(payment=_update_own(payment, change))
    return attempts.run(payment, None, operations.updating(caller, change, call), call)


def _update_own(payment: Payment, change: PaymentChange) -> Payment:
    """Fields that only we hold: in any state, also under a lock, without a provider's call."""
    wanted = change.model_dump(exclude_none=True, include=OWN_FIELDS)
    for _ in range(synchronize.ROUNDS):
        changed = payment.model_copy(update=wanted | {"updated_at": clock.now()})
        if live := payment.live:  # what an update under way wanted of these fields is older
            older = live.wanted.model_copy(update=dict.fromkeys(wanted))
            changed = changed.model_copy(update={"live": live.model_copy(update={"wanted": older})})
        try:
            return payment_items.advance(payment, changed) if wanted else payment
        except payment_items.Outrun:
            fresh, _ = payment_items.read(payment.id, None, clock.seconds())
            payment = fresh or payment
    raise TemporarilyUnavailable("the payment could not be changed", retry_after=1)


def abandon(payment: Payment, call: Call) -> Payment:
    """Cancel what nobody has paid for ABANDON_DAYS. Raises what the provider's call raises."""
    asked = Cancellation(reason="abandoned")
    return attempts.run(payment, None, operations.canceling(asked, call), call).payment


def cancel(caller: Caller, payment_id: str, asked: Cancellation, call: Call) -> Answered:
    """Void a payment that has not been captured.

    Raises NotFound, Forbidden, Conflict `payment_not_cancelable`, NotExecuted.
    """
    payment, record = _find(caller, payment_id, call)
    access.check_writable(payment, caller)
    return attempts.run(payment, record, operations.canceling(asked, call), call)


def capture(caller: Caller, payment_id: str, asked: Capture, call: Call) -> Answered:
    """Take what a manual capture has authorized.

    Raises NotFound, Forbidden, Conflict `payment_not_capturable` or `amount_exceeds_available`,
    InvalidRequest, NotExecuted.
    """
    payment, record = _find(caller, payment_id, call)
    access.user_of(caller)
    access.check_writable(payment, caller)
    return attempts.run(payment, record, operations.capturing(asked, call), call)


def refund(caller: Caller, payment_id: str, asked: NewRefund, call: Call) -> Answered:
    """Give back what was captured, or a part of it, and never more; `refund` is the answer.

    Raises NotFound, Forbidden, Conflict `payment_not_refundable` or `amount_exceeds_available`,
    InvalidRequest, NotExecuted.
    """
    payment, record = _find(caller, payment_id, call)
    access.user_of(caller)
    access.check_writable(payment, caller)
    return attempts.run(payment, record, operations.refunding(asked, call), call)


def list_refunds(caller: Caller, payment_id: str) -> list[Refund]:
    """Oldest first, those that were made at the provider among them. Raises NotFound."""
    payment, _ = _find(caller, payment_id, None)
    access.user_of(caller)
    return payment_items.refunds(payment.id)


def timeline(caller: Caller, payment_id: str) -> list[Entry]:
    """What happened to the payment, oldest first. Raises NotFound."""
    payment, _ = _find(caller, payment_id, None)
    access.user_of(caller)
    return payment_items.timeline(payment.id)
