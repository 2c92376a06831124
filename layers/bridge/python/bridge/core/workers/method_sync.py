"""Saved methods as their provider has them now: what a bank renewed, what was taken away there.

An event is a doorbell here, too: the provider is asked. Source: convergence.md 7 and rule 7;
contracts/providers.md, D.1.
"""

from typing import Literal, NamedTuple

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
    """What an event came to, and for which method of ours."""

    outcome: Written | Literal["unmatched", "seen"]
    method_id: str | None


def handle_event(event_reference: MethodEventReference, run: RunContext) -> MethodEventResult:
    """Raises what the provider or the store raises: the message then stays in the queue."""
    now = clock.seconds()
    method, customer = method_items.get_at_provider(
        event_reference.provider_id, event_reference.token
    )
    if method is None or customer is None:  # never saved here: nobody is asked
        return MethodEventResult("unmatched", None)
    if webhook_items.was_seen(event_reference, now):
        return MethodEventResult("seen", method.id)
    outcome = _synchronize(method, customer, event_reference, run)
    webhook_items.put_seen(event_reference, now)
    return MethodEventResult(outcome, method.id)


def _synchronize(
    method: PaymentMethod | None,
    customer: Customer | None,
    event_reference: MethodEventReference,
    run: RunContext,
) -> Written:
    """Who has written looks again: so of several at once the last to write has seen the last."""
    outcome: Written = "unchanged"
    provider = registry.open_provider(event_reference.provider_id)
    for _ in range(optimistic_update.WALLET_WRITE_TRIES):
        if not method or not customer or "deleted" in (method.state, customer.state):
            return outcome
        holder = customer.provider_customer_id or ""
        provider_state = provider.fetch_method(event_reference.token, holder, ends_at=run.ends_at)
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
    """Raises Outrun, Congested."""
    if provider_state is None:
        payment_methods.detach_method(method, customer)
        return "deleted"
    after = method.model_copy(update={name: getattr(provider_state, name) for name in CARD})
    if after == method:
        return "unchanged"
    method_items.update(method, after.model_copy(update={"updated_at": clock.now()}), customer)
    return "changed"
