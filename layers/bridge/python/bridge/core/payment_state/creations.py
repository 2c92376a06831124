"""Find out what became of a creation that has no object of the provider yet.

The status check of a creation is the same call again, with the same key and the same bytes: the
provider returns the same object, and no money moves. That ends when the provider may have forgotten
the key, because the call could then make a second object. It also ends when the provider has stored
an answer 5xx for the key: that says nothing, and comes again and again (rule 17).

Source: docs/payment-correctness.md, section 6.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from bridge import clock
from bridge.core.payment_state import merge
from bridge.core.rules import telemetry
from bridge.core.rules.telemetry import log
from bridge.errors import UnknownOutcome, WrongState
from bridge.models.identifier import suffix
from bridge.models.payment import ActiveAttempt, AttemptOutcome, Payment
from bridge.models.provider import ProviderPayment
from bridge.models.run_context import RunContext
from bridge.providers import registry

MOST_SERVER_ERRORS = 3  # of one key; after them it is not asked again
LISTED_BEFORE_S = 300  # our clock and the provider's differ
NEW_ATTEMPT_AFTER_S = 300  # after the lease: by then the object would be in the provider's list
GIVE_UP_AFTER_CHECKS_S = 3600


def find(payment: Payment, attempt: ActiveAttempt, run: RunContext) -> ProviderPayment | None:
    """The object that the creation has made, or None if the provider has none.

    It is looked up by the event of this run, if that names an object; else by the keyed call; else
    in the provider's list. Raises UnknownOutcome, NotExecuted.
    """
    provider = registry.open_provider(payment.provider_id)
    if run.event and run.event.provider_payment_id:
        made = _fetch(payment, run.event.provider_payment_id, run)
        if made.payment_id == payment.id and _adopted(payment, [made], run):
            return made
    if not _is_spent(attempt) and clock.seconds() < attempt.at + provider.create_check_s:
        return provider.create_payment(attempt.sent or "", key=attempt.key, ends_at=run.ends_at)
    since = datetime.fromtimestamp(attempt.at - LISTED_BEFORE_S, UTC)
    found = _adopted(payment, provider.find_objects(payment, since, ends_at=run.ends_at), run)
    return _fetch(payment, found.provider_payment_id, run) if found else None


def _fetch(payment: Payment, provider_payment_id: str, run: RunContext) -> ProviderPayment:
    provider = registry.open_provider(payment.provider_id)
    found = replace(payment, provider_payment_id=provider_payment_id)
    return provider.fetch_payment(found, ends_at=run.ends_at)


def _is_spent(attempt: ActiveAttempt) -> bool:
    """Whether the key of the attempt will never be answered with more than a 5xx."""
    return attempt.server_errors >= MOST_SERVER_ERRORS


def with_answers(attempt: ActiveAttempt, error: UnknownOutcome) -> ActiveAttempt:
    """The attempt of a creation with the number of 5xx that its key has been answered."""
    if attempt.operation != "create":
        return attempt
    more = MOST_SERVER_ERRORS if error.is_stored else error.server_errors
    return replace(attempt, server_errors=attempt.server_errors + more)


def give_up(payment: Payment, attempt: ActiveAttempt, until: int) -> AttemptOutcome:
    """How a creation ended that the provider has no object of.

    If its key is spent, another attempt takes its place, whose lease ends at `until` (seconds).
    Raises UnknownOutcome while the object could still appear.
    """
    now = clock.seconds()
    outcome = AttemptOutcome(attempt=attempt.number, kind="not_sent", failure=merge.NOT_SENT)
    checks_s = registry.open_provider(payment.provider_id).create_check_s
    if now >= attempt.at + checks_s + GIVE_UP_AFTER_CHECKS_S:
        return outcome
    if not _is_spent(attempt) or now <= attempt.until + NEW_ATTEMPT_AFTER_S:
        raise UnknownOutcome("the provider has no object for this creation yet")
    number = attempt.number + 1
    key = f"{suffix(payment.id)}.{number}"
    again = replace(attempt, number=number, key=key, at=now, until=until, server_errors=0)
    return replace(outcome, next_attempt=again)


def _adopted(
    payment: Payment, found: Iterable[ProviderPayment], run: RunContext
) -> ProviderPayment | None:
    """Of objects with our id, the one that has the amount and currency that we asked for.

    Any other one is canceled.
    """
    adopted = None
    for each in found:
        fits = (each.total_cents, each.currency) == (payment.total_cents, payment.currency)
        if fits and each.status != "canceled" and adopted is None:
            adopted = each
        else:
            _cancel(payment, each, run)
    return adopted


def cancel_duplicate(payment: Payment, provider_payment_id: str, run: RunContext) -> None:
    """Cancel an object that has our payment's id, while our payment has another object.

    It can only be what an attempt made late that another one has replaced. Nobody has its client
    secret, so nobody can pay it. Raises UnknownOutcome, NotExecuted.
    """
    found = _fetch(payment, provider_payment_id, run)
    if found.payment_id == payment.id:
        _cancel(payment, found, run)


def _cancel(payment: Payment, found: ProviderPayment, run: RunContext) -> None:
    if found.status == "canceled":
        return
    provider = registry.open_provider(payment.provider_id)
    telemetry.measure("duplicate_objects")
    log.error(
        "duplicate object", payment_id=payment.id, provider_payment_id=found.provider_payment_id
    )
    try:
        provider.cancel_duplicate(found.provider_payment_id, ends_at=run.ends_at)
    except WrongState:  # it is paid: operators must see to it
        log.error("duplicate object cannot be canceled", payment_id=payment.id)
