"""A simulated Stripe over real HTTP: state, strict checks, idempotency keys, test cards, faults,
events and signed webhooks.

Tests and the local run use the class StripeSimulator. Other processes use the control plane below
/_sim/. Source: docs/providers.md, section G.
"""

from collections.abc import Sequence
from typing import Self, TypedDict, Unpack

from local.stripe import dashboard, forms
from local.stripe.account import Account
from local.stripe.cards import CARDS
from local.stripe.faults import Fault
from local.stripe.forms import Value
from local.stripe.http import Application
from local.stripe.log import Exchange
from local.stripe.operations import payment_intents, payment_methods
from local.stripe.params import Params
from local.stripe.request import StripeRequest
from local.stripe.resources.customer import Customer
from local.stripe.resources.json import Json
from local.stripe.server import Server


class FaultOptions(TypedDict, total=False):
    """Further fields of Fault."""

    method: str
    path: str
    seconds: float
    lag: float
    ms: int
    retry_after: int
    framed: bool


class StripeSimulator(Account):
    """`url` is the base address for the SDK. The state survives stop and start."""

    def __init__(
        self, port: int = 0, webhook_url: str = "", webhook_secrets: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._server = Server(Application(self), port)
        if webhook_url:
            self.webhooks.point(webhook_url, webhook_secrets)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> Self:
        """Serve requests and send webhooks. Raises OSError if the port is taken."""
        self.stopping.clear()
        self._server.start()
        self.world.url = self.url
        self.webhooks.start()
        return self

    def stop(self) -> None:
        """Refuse connections from now on, and end requests that hang."""
        self.stopping.set()
        self.webhooks.stop()
        self._server.stop()

    @property
    def requests(self) -> list[Exchange]:
        """The API requests so far, oldest first; at most the newest 5,000."""
        return self.log.listed()

    def fault(
        self,
        operation: str,
        kind: str,
        times: int | None = 1,
        nth: int = 1,
        **more: Unpack[FaultOptions],
    ) -> None:
        """Make the nth matching request and the next ones fail. `operation` "": any operation."""
        self.faults.add(Fault(kind, operation, times=times, nth=nth, **more))

    def charges(self) -> list[Json]:
        """Charges that moved or reserved money: neither pending nor declined, oldest first."""
        with self.world.lock:
            return [each.render() for each in self.world.charges.values() if each.paid]

    def declines(self) -> list[Json]:
        """Charges that were declined, oldest first."""
        with self.world.lock:
            charges = self.world.charges.values()
            return [each.render() for each in charges if each.status == "failed"]

    def intents(self) -> list[Json]:
        """All payment intents, oldest first."""
        with self.world.lock:
            return [each.render() for each in self.world.intents.values()]

    def refunds(self) -> list[Json]:
        """Refunds of captured money in any state, by the API or the dashboard, oldest first."""
        with self.world.lock:
            return [each.render() for each in self.world.refunds.values() if not each.reversal]

    def releases(self) -> list[Json]:
        """Released authorizations. At Stripe they are refunds too, but no money moved."""
        with self.world.lock:
            return [each.render() for each in self.world.refunds.values() if each.reversal]

    def disputes(self) -> list[Json]:
        """All disputes, oldest first."""
        with self.world.lock:
            return [each.render() for each in self.world.disputes.values()]

    def events(self) -> list[Json]:
        """All events, oldest first. `webhooks.signed` makes the delivery of one."""
        with self.world.lock:
            return [each.render() for each in self.world.events.values()]

    def dashboard(
        self, action: str, payment_intent: str, amount: int | None = None, outcome: str = ""
    ) -> Json:
        """Act on a payment as a person at the dashboard: dashboard.ACTIONS has the actions.

        `outcome`: of close_dispute, won or lost. Raises StripeError if Stripe would refuse it.
        """
        return dashboard.act(self.world, action, payment_intent, amount, outcome)

    def dashboard_method(self, action: str, payment_method: str) -> Json:
        """Change a saved method: renew (as its bank does), expire or detach.

        Raises StripeError if Stripe would refuse it.
        """
        return dashboard.act_on_method(self.world, action, payment_method)

    def refunds_settle_after(self, seconds: float) -> None:
        """Set when refunds from now on succeed late or fail, until the next reset."""
        self.world.delays.refunds = seconds

    def debits_settle_after(self, seconds: float) -> None:
        """Set when payments from a bank account succeed or fail from now on, until a reset."""
        self.world.delays.debits = seconds

    def customers(self) -> list[Json]:
        """All customers. A deleted one is `{"id", "object", "deleted": True}`."""
        with self.world.lock:
            return [each.render() for each in self.world.customers.values()]

    def seed_customer(self, identifier: str, email: str | None = None) -> Json:
        """Add a customer with a chosen id."""
        with self.world.lock:
            customer = Customer(identifier, int(self.world.now()), email=email)
            self.world.customers[identifier] = customer
            return customer.render()

    def seed_method(self, identifier: str, customer: str | None, card: str = "visa") -> Json:
        """Add a test card with a chosen id. `card` as in `pm_card_<card>`."""
        with self.world.lock:
            method = payment_methods.mint(self.world, CARDS[card])
            del self.world.methods[method.id]
            method.id, method.customer = identifier, customer
            self.world.methods[identifier] = method
            return method.render()

    def seed_payment(self, identifier: str, **values: Value) -> Json:
        """Create an intent with a chosen id from the API's parameters (amount=2000, …).

        With confirm=True and a method it is paid. Raises StripeError if the API would refuse it.
        """
        form = forms.schema()["forms"]["POST /v1/payment_intents"]
        params = Params(forms.check(form, forms.as_sent(values)))
        with self.world.lock:
            request = StripeRequest(self.world, params, {})
            return payment_intents.open_intent(request, identifier).render()
