"""A broken Stripe adapter. Source: docs/payment-correctness.md, section 4; docs/providers.md."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from msgspec.structs import replace

from bridge.errors import ProviderUnavailable, Refused, UnknownOutcome
from bridge.models.payment import Payment
from bridge.models.provider import ProviderPayment
from bridge.models.refund import Refund
from bridge.providers import stripe_calls, stripe_objects
from bridge.providers.stripe import Stripe


def decline_is_refused(patch: pytest.MonkeyPatch) -> None:
    """A decline is taken for a refusal (rule 4)."""
    real = Stripe._change

    def change(self: Stripe, *given: Any, **how: Any) -> ProviderPayment:
        state = real(self, *given, **how)
        if state.declined:
            raise Refused(state.declined.message, reason=state.declined.code)
        return state

    patch.setattr(Stripe, "_change", change)


def server_error_is_refused(patch: pytest.MonkeyPatch) -> None:
    """A 5xx is taken for a refusal (rule 4)."""
    real = stripe_calls.send

    def send(*given: Any, **how: Any) -> Any:
        try:
            return real(*given, **how)
        except UnknownOutcome as unknown:
            error = unknown.__cause__
            if isinstance(error, stripe.StripeError) and (error.http_status or 0) >= 500:
                raise ProviderUnavailable("Stripe does not work") from unknown
            raise

    patch.setattr(stripe_calls, "send", send)


def timeout_sent_again(patch: pytest.MonkeyPatch) -> None:
    """A confirm, capture or refund is sent again after a timeout (rule 3)."""
    real = stripe_calls.send
    patch.setattr(
        stripe_calls, "send", lambda *given, **how: real(*given, **(how | {"speed": "fast"}))
    )


def last_try_counts(patch: pytest.MonkeyPatch) -> None:
    """The second try says how the call ended, whatever became of the first (rule 4)."""
    tries, real = stripe_calls._tries, stripe_calls.send

    def one(*given: Any) -> Iterator[int]:
        return (each for each, _ in zip(tries(*given), range(1), strict=False))

    def send(*given: Any, **how: Any) -> Any:
        try:
            return real(*given, **how)
        except UnknownOutcome:
            if how.get("speed") == "slow":
                raise
            return real(*given, **how)

    patch.setattr(stripe_calls, "_tries", one)
    patch.setattr(stripe_calls, "send", send)


def krona_in_hundredths(patch: pytest.MonkeyPatch) -> None:
    """Iceland's crowns are sent as they are, which Stripe counts in hundredths (section E)."""
    patch.setattr(stripe_objects, "TIMES_100", {"UGX"})


def yen_in_hundredths(patch: pytest.MonkeyPatch) -> None:
    """Yen are sent in hundredths, which are a hundred times as much (section E)."""
    real = stripe_objects.to_units

    def to_units(cents: int, currency: str, *field: str) -> int:
        return real(cents, currency, *field) * (100 if currency == "JPY" else 1)

    patch.setattr(stripe_objects, "to_units", to_units)


def refund_without_id(patch: pytest.MonkeyPatch) -> None:
    """The provider's refund does not have our refund id (section 6)."""
    real = Stripe.refund_payment

    def refund_payment(
        self: Stripe, payment: Payment, refund: Refund, **how: Any
    ) -> ProviderPayment:
        return real(self, payment, replace(refund, id=""), **how)

    patch.setattr(Stripe, "refund_payment", refund_payment)


def all_refunded(patch: pytest.MonkeyPatch) -> None:
    """A partial refund gives back all that is left."""
    real = Stripe.refund_payment

    def refund_payment(
        self: Stripe, payment: Payment, refund: Refund, **how: Any
    ) -> ProviderPayment:
        left = payment.captured_cents - payment.refunded_cents
        return real(self, payment, replace(refund, amount_cents=left), **how)

    patch.setattr(Stripe, "refund_payment", refund_payment)


def all_captured(patch: pytest.MonkeyPatch) -> None:
    """A partial capture takes all that is authorized."""
    real = Stripe.capture_payment

    def capture_payment(
        self: Stripe, payment: Payment, _: int | None, **how: Any
    ) -> ProviderPayment:
        return real(self, payment, None, **how)

    patch.setattr(Stripe, "capture_payment", capture_payment)


def pending_is_succeeded(patch: pytest.MonkeyPatch) -> None:
    """A refund that can still fail is taken to be done (section B)."""
    patch.setitem(stripe_objects.REFUND_STATUS, "pending", "succeeded")


def processing_is_paid(patch: pytest.MonkeyPatch) -> None:
    """A payment that the bank still works on is taken to be paid (section B)."""
    patch.setitem(stripe_objects.STATUS, "processing", "succeeded")


def release_is_given_back(patch: pytest.MonkeyPatch) -> None:
    """What a partial capture has released counts as refunded."""
    patch.setattr(stripe_objects, "_given_back", lambda charge: charge.amount_refunded)


def release_is_a_refund(patch: pytest.MonkeyPatch) -> None:
    """What Stripe lists for the release of a partial capture becomes a refund."""
    patch.setattr(stripe_objects, "is_release", lambda *_: False)


MUTATIONS = (
    decline_is_refused,
    server_error_is_refused,
    timeout_sent_again,
    last_try_counts,
    krona_in_hundredths,
    yen_in_hundredths,
    refund_without_id,
    all_refunded,
    all_captured,
    pending_is_succeeded,
    processing_is_paid,
    release_is_given_back,
    release_is_a_refund,
)
