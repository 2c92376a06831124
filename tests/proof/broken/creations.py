"""Broken creations. Source: docs/payment-correctness.md, rules 4 and 17, section 6."""

import uuid
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.core.payment_state import commit, creations
from bridge.core.payments import create_payment
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.payment import ActiveAttempt, AttemptOutcome, Payment
from bridge.models.provider import ProviderPayment
from bridge.providers.stripe import Stripe


def key_of_its_own(patch: pytest.MonkeyPatch) -> None:
    """Every call has a new key, so the status check of a creation makes another object."""
    real = Stripe.create_payment

    def create(self: Stripe, request: str, *, key: str, ends_at: Any) -> ProviderPayment:
        other = f"{uuid.uuid4().hex}.{key.partition('.')[2]}"
        return real(self, request, key=other, ends_at=ends_at)

    patch.setattr(Stripe, "create_payment", create)


class _Never(Exception):
    """Is never raised."""


def creation_released(patch: pytest.MonkeyPatch) -> None:
    """A creation that could not be sent is released, though a check may have sent it (rule 4)."""
    patch.setattr(create_payment, "ProviderUnavailable", _Never)


def spent_key_kept(patch: pytest.MonkeyPatch) -> None:
    """A key for which a 5xx is stored is asked again and again (rule 17)."""
    patch.setattr(creations, "_is_spent", lambda _: False)


def spent_key_sent_again(patch: pytest.MonkeyPatch) -> None:
    """The attempt that takes the place of a spent one has the same provider key (rule 17)."""
    real = creations.give_up

    def give_up(payment: Payment, attempt: ActiveAttempt, until: int) -> AttemptOutcome:
        outcome = real(payment, attempt, until)
        if outcome.next_attempt is None:
            return outcome
        return replace(outcome, next_attempt=replace(outcome.next_attempt, key=attempt.key))

    patch.setattr(creations, "give_up", give_up)


def new_attempt_at_once(patch: pytest.MonkeyPatch) -> None:
    """A spent key is replaced while its first request may still arrive (rule 17)."""
    real = creations.give_up

    def give_up(payment: Payment, attempt: ActiveAttempt, until: int) -> AttemptOutcome:
        return real(payment, replace(attempt, until=0), until)

    patch.setattr(creations, "give_up", give_up)


def key_freed_at_renewal(patch: pytest.MonkeyPatch) -> None:
    """The client's key is free when another attempt takes the place of a spent one (rule 17)."""
    real = commit._closed_record

    def closed_record(
        before: Payment, after: Payment, refunds: Any, outcome: AttemptOutcome | None, now: int
    ) -> IdempotencyRecord | None:
        alone = replace(outcome, next_attempt=None) if outcome else None
        return real(before, after, refunds, alone, now)

    patch.setattr(commit, "_closed_record", closed_record)


def duplicates_left(patch: pytest.MonkeyPatch) -> None:
    """A second object for one payment stays open (rule 17)."""
    patch.setattr(creations, "_cancel", lambda *_: None)


def any_object_adopted(patch: pytest.MonkeyPatch) -> None:
    """An object with our id is taken, also with another amount or currency (rule 17)."""

    def adopted(_: Payment, found: Any, __: Any) -> ProviderPayment | None:
        return next((each for each in found if each.status != "canceled"), None)

    patch.setattr(creations, "_adopted", adopted)


def creation_without_id(patch: pytest.MonkeyPatch) -> None:
    """The provider's object does not have our payment id (section 6)."""
    real = Stripe.write_creation

    def write(self: Stripe, payment: Payment, token: str | None) -> str:
        return real(self, payment, token).replace('"payment_id"', '"payment"')

    patch.setattr(Stripe, "write_creation", write)


MUTATIONS = (
    key_of_its_own,
    creation_released,
    spent_key_kept,
    spent_key_sent_again,
    new_attempt_at_once,
    key_freed_at_renewal,
    duplicates_left,
    any_object_adopted,
    creation_without_id,
)
