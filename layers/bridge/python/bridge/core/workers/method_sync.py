"""Update saved payment methods after an event: a renewed card is changed, a detached one deleted.

As for payments, the event only tells us to ask the provider (rule 7).
Source: docs/payment-correctness.md, section 7; docs/providers.md, section D.1.
"""

from typing import Literal, NamedTuple

from msgspec.structs import replace

from bridge import clock
from bridge.core.rules import crash_points
from bridge.core.wallet import optimistic_update, payment_methods
from bridge.models.customer import Customer
from bridge.models.payment_method import PaymentMethod
from bridge.models.provider import ProviderMethod
from bridge.models.queue_message import MethodEventReference
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.dedupe import webhook_items
from bridge.store.wallet import method_items

CARD = ("brand", "last4", "exp_month", "exp_year")

Written = Literal["unchanged", "changed", "deleted"]


class MethodEventResult(NamedTuple):
    """What an event led to, and the id of our method, if the token is one of ours."""

    outcome: Written | Literal["unmatched", "seen"]
    method_id: str | None


def handle_event(event_reference: MethodEventReference, run: RunContext) -> MethodEventResult:
    """Handle a provider's event about a saved payment method.

    Raises what the provider or the store raises; the message then stays in the queue.
    """
    now = clock.seconds()
    method, customer = method_items.get_at_provider(
        event_reference.provider_id, event_reference.token
    )
    if method is None or customer is None:  # never saved here: the provider is not asked
        return MethodEventResult("unmatched", None)
    if webhook_items.was_seen(event_reference, now):
        return MethodEventResult("seen", method.id)
    outcome = _synchronize(method, customer, event_reference, run)
    # Only now: if we crash before this, the event comes again, and the work can be repeated.
    webhook_items.put_seen(event_reference, now)
    return MethodEventResult(outcome, method.id)


def _synchronize(
    method: PaymentMethod | None,
    customer: Customer | None,
    event_reference: MethodEventReference,
    run: RunContext,
) -> Written:
    """Save what the provider has, until a fetch finds nothing new.

    A worker that wrote a change fetches once more. So of several workers at once, the last one to
    write has seen the provider's last state.
    """
    outcome: Written = "unchanged"
    provider = registry.open_provider(event_reference.provider_id)
    for _ in range(optimistic_update.WALLET_WRITE_TRIES):
        if not method or not customer or "deleted" in (method.state, customer.state):
            return outcome
        provider_customer_id = customer.provider_customer_id or ""
        provider_state = provider.fetch_method(
            event_reference.token, provider_customer_id, ends_at=run.ends_at
        )
        crash_points.reach("method_fetched", method.id)
        try:
            written = _write(method, customer, provider_state)
        except dynamodb.VersionConflict:
            written = None
        if written == "unchanged":
            return outcome
        outcome = written or outcome
        method, customer = method_items.get_at_provider(
            event_reference.provider_id, event_reference.token
        )
    raise optimistic_update.contended(payment_methods.SUBJECT)


def _write(
    method: PaymentMethod, customer: Customer, provider_state: ProviderMethod | None
) -> Written:
    """Raises VersionConflict, Throttled."""
    if provider_state is None:
        payment_methods.detach_method(method, customer)
        return "deleted"
    changed = replace(method, **{name: getattr(provider_state, name) for name in CARD})
    if changed == method:
        return "unchanged"
    method_items.update(method, replace(changed, updated_at=clock.now()), customer)
    return "changed"
