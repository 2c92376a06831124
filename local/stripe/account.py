"""A simulated account: resources, idempotency keys, faults, log, and controls for tests."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from local.stripe import checks, confirmation
from local.stripe.cards import BY_NUMBER
from local.stripe.errors import StripeError, no_such
from local.stripe.faults import Faults
from local.stripe.idempotency import Memory
from local.stripe.log import Log
from local.stripe.operations import payment_methods
from local.stripe.params import Params
from local.stripe.resources.json import Json
from local.stripe.resources.payment_intent import CONFIRMABLE, PaymentIntent
from local.stripe.resources.payment_method import PaymentMethod
from local.stripe.webhooks import Webhooks
from local.stripe.world import World


@dataclass
class Account:
    """`stopping` is set when the simulator stops, so that requests that hang can end."""

    world: World = field(default_factory=World)
    memory: Memory = field(default_factory=Memory)
    faults: Faults = field(default_factory=Faults)
    log: Log = field(default_factory=Log)
    stopping: threading.Event = field(default_factory=threading.Event)
    webhooks: Webhooks = field(init=False)

    def __post_init__(self) -> None:
        self.webhooks = Webhooks(self.world)
        self.world.listeners.append(self.webhooks.take)

    def state(self) -> Json:
        """Everything in the account as JSON: for GET /_sim/state and the page at /_local/."""
        world = self.world
        with world.lock:
            world.catch_up()
            return {
                "now": world.now(),
                "customers": [each.render() for each in world.customers.values()],
                "payment_methods": [each.render() for each in world.methods.values()],
                "payment_intents": [each.render() for each in world.intents.values()],
                "charges": [each.render() for each in world.charges.values()],
                "refunds": [each.render() for each in world.refunds.values()],
                "disputes": [each.render() for each in world.disputes.values()],
                "events": self.webhooks.listed(),
                "webhooks": self.webhooks.render(),
                "idempotency_keys": len(self.memory),
                "faults": self.faults.listed(),
                "requests": dict(self.log.counts),
            }

    def reset(self) -> None:
        """Forget everything but the webhook endpoint."""
        with self.world.lock:
            self.world.clear()
            self.webhooks.reset()
        self.memory.clear()
        self.faults.clear()
        self.log.clear()

    def save(self) -> Callable[[], None]:
        """Keep a copy of the resources and the idempotency keys.

        Returns what resets the account and brings them back, as often as it is called.
        """
        with self.world.lock:
            resources, keys = self.world.save(), self.memory.save()

        def restore() -> None:
            self.reset()
            with self.world.lock:
                resources()
            keys()

        return restore

    def advance(self, seconds: float) -> None:
        """Move the simulated clock and run what became due.

        The clock drives idempotency keys, authorizations, refunds, disputes and webhook retries.
        """
        with self.world.lock:
            self.world.offset += seconds
            self.world.catch_up()
            self.webhooks.wake()

    def browser_attach(self, intent: str, client_secret: str, token: str) -> Json:
        """The customer chose a card in the browser: it is put on the intent, nothing is charged."""
        with self.world.lock:
            found = self._intent_with_secret(intent, client_secret)
            if found.status not in CONFIRMABLE:
                message = f"This PaymentIntent has a status of {found.status}."
                raise checks.unexpected_state(found, message)
            confirmation.put_method(found, self._method(token))
            found.status, found.next_action = "requires_confirmation", None
            return found.render()

    def browser_confirm(
        self, intent: str, client_secret: str, token: str, return_url: str | None = None
    ) -> Json:
        """The customer pays in the browser with Stripe.js. Raises StripeError 402 if declined."""
        values = {} if return_url is None else {"return_url": return_url}
        with self.world.lock:
            found = self._intent_with_secret(intent, client_secret)
            method = self._method(token)
            params = Params({**values, "payment_method": method.id})
            confirmation.confirm(self.world, found, params, browser=True)
            return found.render()

    def authenticate(self, intent: str, *, success: bool) -> Json:
        """The customer finishes 3-D Secure. Does nothing if the intent does not wait for it."""
        with self.world.lock:
            found = self._intent(intent)
            if found.status == "requires_action":
                confirmation.authenticate(self.world, found, success=success)
            return found.render()

    def _intent(self, intent: str) -> PaymentIntent:
        found = self.world.intents.get(intent)
        if found is None:
            raise no_such("payment_intent", intent, "intent", status=404)
        return found

    def _intent_with_secret(self, intent: str, client_secret: str) -> PaymentIntent:
        found = self._intent(intent)
        if found.client_secret != client_secret:
            raise StripeError(
                400,
                "The client_secret provided does not match any associated PaymentIntent.",
                code="payment_intent_invalid_parameter",
                param="client_secret",
            )
        return found

    def _method(self, token: str) -> PaymentMethod:
        """Takes a card number too, because this stands for the customer's browser."""
        card = BY_NUMBER.get(token)
        if card is not None:
            return payment_methods.mint(self.world, card)
        return payment_methods.take(self.world, token)
