"""Saved methods as their provider has them now: what a bank renewed, what was taken away there.

An event is a doorbell here, too: the provider is asked. Source: convergence.md 7 and rule 7;
contracts/providers.md, D.1.
"""

from typing import Literal, NamedTuple

from bridge import clock
from bridge.core.rules import crash_points
from bridge.core.wallet import optimistic_update, payment_methods
from bridge.models.call import Call
from bridge.models.customer import Customer
from bridge.models.event import MethodHint
from bridge.models.payment_method import PaymentMethod
from bridge.models.provider import ProviderMethod
from bridge.providers import registry
from bridge.store.dedupe import webhook_items
from bridge.store.wallet import method_items, wallet_items

CARD = ("brand", "last4", "exp_month", "exp_year")

Written = Literal["unchanged", "changed", "deleted"]


class Heard(NamedTuple):
    """What an event came to, and for which method of ours."""

    outcome: Written | Literal["unmatched", "seen"]
    method_id: str | None


def hear(hint: MethodHint, call: Call) -> Heard:
    """Raises what the provider or the store raises: the message then stays in the queue."""
    now = clock.seconds()
    method, customer = method_items.get_at_provider(hint.provider_id, hint.token)
    if method is None or customer is None:  # never saved here: nobody is asked
        return Heard("unmatched", None)
    if webhook_items.was_seen(hint, now):
        return Heard("seen", method.id)
    outcome = _converge(method, customer, hint, call)
    webhook_items.put_seen(hint, now)
    return Heard(outcome, method.id)


def _converge(
    method: PaymentMethod | None, customer: Customer | None, hint: MethodHint, call: Call
) -> Written:
    """Who has written looks again: so of several at once the last to write has seen the last."""
    outcome: Written = "unchanged"
    provider = registry.open_provider(hint.provider_id)
    for _ in range(optimistic_update.ROUNDS):
        if not method or not customer or "deleted" in (method.state, customer.state):
            return outcome
        holder = customer.provider_customer_id or ""
        shown = provider.fetch_method(hint.token, holder, ends_at=call.ends_at)
        crash_points.step("method_looked", method.id)
        try:
            written = _write(method, customer, shown)
        except wallet_items.Outrun:
            written = None
        if written == "unchanged":
            return outcome
        outcome = written or outcome
        method, customer = method_items.get_at_provider(hint.provider_id, hint.token)
    raise optimistic_update.contended(payment_methods.SUBJECT)


def _write(method: PaymentMethod, customer: Customer, shown: ProviderMethod | None) -> Written:
    """Raises Outrun, Congested."""
    if shown is None:
        payment_methods.let_go(method, customer)
        return "deleted"
    after = method.model_copy(update={name: getattr(shown, name) for name in CARD})
    if after == method:
        return "unchanged"
    method_items.update(method, after.model_copy(update={"updated_at": clock.now()}), customer)
    return "changed"
