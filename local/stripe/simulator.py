"""A Stripe that runs here: real HTTP, state, strictness, key memory, test cards, faults,
events and signed webhooks.

Source: providers.md, section G. Tests and the local run use it through StripeSimulator; from
another process the same is at /_sim/.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypedDict, Unpack

from local.stripe import dashboard, forms
from local.stripe.account import Account
from local.stripe.call import Call
from local.stripe.cards import CARDS
from local.stripe.faults import Fault
from local.stripe.forms import Value
from local.stripe.http import Application
from local.stripe.log import Exchange
from local.stripe.operations import payment_intents, payment_methods
from local.stripe.params import Params
from local.stripe.resources.customer import Customer
from local.stripe.resources.json import Json
from local.stripe.server import Server


class FaultOptions(TypedDict, total=False):
    method: str
    path: str
    seconds: float
    ms: int
    retry_after: int
    framed: bool


class StripeSimulator(Account):
    """Its `url` is the base address for the SDK. What it holds survives stop and start."""

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
        self.stopping.clear()
        self._server.start()
        self.world.url = self.url
        self.webhooks.start()
        return self

    def stop(self) -> None:
        """Connections are refused from now on; hanging requests are let go."""
        self.stopping.set()
        self.webhooks.stop()
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

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
        """Let the nth matching request, and the next, fail so; `operation` "" is any."""
        self.faults.add(Fault(kind, operation, times=times, nth=nth, **more))

    def charges(self) -> list[Json]:
        """Where money moved, or is held: every charge that was not declined, oldest first."""
        with self.world.lock:
            return [each.render() for each in self.world.charges.values() if each.paid]

    def declines(self) -> list[Json]:
        with self.world.lock:
            return [each.render() for each in self.world.charges.values() if not each.paid]

    def intents(self) -> list[Json]:
        with self.world.lock:
            return [each.render() for each in self.world.intents.values()]

    def refunds(self) -> list[Json]:
        """What was paid back, is under way or failed, whoever asked for it; oldest first."""
        with self.world.lock:
            return [each.render() for each in self.world.refunds.values() if not each.reversal]

    def releases(self) -> list[Json]:
        """What was held and let go: at Stripe refunds as well, but no money moved."""
        with self.world.lock:
            return [each.render() for each in self.world.refunds.values() if each.reversal]

    def disputes(self) -> list[Json]:
        with self.world.lock:
            return [each.render() for each in self.world.disputes.values()]

    def events(self) -> list[Json]:
        """Everything that happened, oldest first; `webhooks.signed` makes a delivery of one."""
        with self.world.lock:
            return [each.render() for each in self.world.events.values()]

    def dashboard(
        self, action: str, payment_intent: str, amount: int | None = None, outcome: str = ""
    ) -> Json:
        """Do what a person does there: refund, capture, cancel, dispute, inquire, close_dispute.

        `outcome` of close_dispute: won or lost. Raises StripeError where Stripe refuses it.
        """
        return dashboard.act(self.world, action, payment_intent, amount, outcome)

    def dashboard_method(self, action: str, payment_method: str) -> Json:
        """What happens to a saved method there: renew (by its bank), expire, detach.

        Raises StripeError where Stripe refuses it.
        """
        return dashboard.act_on_method(self.world, action, payment_method)

    def customers(self) -> list[Json]:
        """Deleted ones too, as `{"id", "object", "deleted": True}`."""
        with self.world.lock:
            return [each.render() for each in self.world.customers.values()]

    def seed_customer(self, identifier: str, email: str | None = None) -> Json:
        """Put a customer with a chosen id there, for demo data."""
        with self.world.lock:
            customer = Customer(identifier, int(self.world.now()), email=email)
            self.world.customers[identifier] = customer
            return customer.render()

    def seed_method(self, identifier: str, customer: str | None, card: str = "visa") -> Json:
        """Put a test card with a chosen id there; `card` as in `pm_card_<card>`."""
        with self.world.lock:
            method = payment_methods.mint(self.world, CARDS[card])
            del self.world.methods[method.id]
            method.id, method.customer = identifier, customer
            self.world.methods[identifier] = method
            return method.render()

    def seed_payment(self, identifier: str, **values: Value) -> Json:
        """Create an intent with a chosen id, from the API's own parameters.

        amount=2000, currency="usd", metadata={…} …; with confirm=True and a method it is paid.
        Raises StripeError for what the API would refuse.
        """
        form = forms.schema()["forms"]["POST /v1/payment_intents"]
        params = Params(forms.check(form, forms.as_sent(values)))
        with self.world.lock:
            call = Call(self.world, params, {})
            return payment_intents.open_intent(call, identifier).render()
