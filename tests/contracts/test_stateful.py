"""Any order of calls, while the provider loses requests and answers: at most one charge each.

Fixed examples in `make test`, new ones in `make fuzz`.
Source: docs/payment-correctness.md, section 3.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bridge import clock
from bridge.models.caller import Session
from bridge.store.access import session_items
from local import database
from local.event import Answer
from tests.conftest import USER, Environment
from tests.contracts.records import assert_converged, scan_of, stored_payments
from tests.contracts.shape import Client

PAYMENTS = "/bridge-payment/payments"
GUEST = {"email": "guest@example.com", "name": "Guest"}
LOST = ["drop_before", "drop_after", "500_before", "500_after", "truncated_body", "html_502"]
TURNED_AWAY = ["429", "503", "409", "lock_timeout"]
FAULTS = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(LOST + TURNED_AWAY), st.integers(1, 2)),
)
CARDS = st.sampled_from(["pm_card_visa", "pm_card_visa_chargeDeclined", "pm_card_visa"])
MEMORY_S = 22 * 3600
"""How long the provider may repeat a remembered 500. After it, a creation has ended anyway."""
TOTALS = st.integers(50, 5000)
Fault = tuple[str, int] | None


@dataclass(eq=False)
class Creation:
    """One creation, and the totals that its payment may have by now.

    `id` is None until a response contains it. `repeats`: the provider remembers a 500 for it, and
    answers every status check with that.
    """

    client: Client
    body: dict[str, object]
    key: str
    totals: set[int]
    id: str | None = None
    description: str | None = None
    repeats: bool = False


@dataclass(eq=False)
class Confirm:
    """One confirm, which may be repeated with the same key."""

    creation: Creation
    method: str
    key: str


class Story(RuleBasedStateMachine):
    """A user and a guest pay, while the provider fails now and then."""

    environment: Environment
    creations = Bundle("creations")
    payments = Bundle("payments")
    confirms = Bundle("confirms")

    @initialize()
    def begin(self) -> None:
        database.clear()
        self.environment.stripe.reset()
        self.moved = 0.0
        self.later(0)
        session = Session(
            user_id=str(USER.user_id), email=USER.email, expires_at=clock.now() + timedelta(days=9)
        )
        session_items.put("session_of_user", session)
        self.guest = Client(self.environment.gateway, may_fail=True)
        self.user = self.guest.acting(x_session_id="session_of_user")
        self.made: list[Creation] = []
        self.confirmed = 0

    def later(self, seconds: float) -> None:
        self.moved += seconds
        clock.set_offset(self.moved)
        self.environment.stripe.advance(seconds)

    def set_fault(self, operation: str, fault: Fault) -> None:
        self.environment.stripe.faults.clear()
        if fault:
            self.environment.stripe.fault(operation, fault[0], times=fault[1])

    def charges(self) -> Counter[str]:
        return Counter(str(each["payment_intent"]) for each in self.environment.stripe.charges())

    def assert_true_of(self, creation: Creation, answer: Answer) -> None:
        """What a response says about a payment is true."""
        body = answer.json()
        assert body["id"] == creation.id, "another payment answers"
        charged = self.charges()[body["provider_payment_id"]]
        if body["status"] == "succeeded":
            assert charged == 1, body
            assert body["amount_captured_cents"] == body["total_cents"], body
        if answer.status == 200 and not charged:
            assert body["status"] != "succeeded", body
        assert body["total_cents"] in creation.totals, (body, creation)
        assert body["description"] == creation.description, (body, creation)

    @rule(target=creations, total=TOTALS, is_guest=st.booleans(), fault=FAULTS)
    def create(self, total: int, is_guest: bool, fault: Fault) -> Creation:
        body: dict[str, object] = {"total_cents": total, "currency": "USD"}
        client = self.user
        if is_guest:
            client, body = self.guest, body | {"guest_data": GUEST}
        key = f"creation-with-a-long-key-{len(self.made)}"
        creation = Creation(client, body, key, {total})
        self.made.append(creation)
        self._create(creation, fault)
        return creation

    @rule(target=payments, creation=consumes(creations), fault=FAULTS)
    def create_again(self, creation: Creation, fault: Fault) -> object:
        """The client's retry gives the same payment, whether it got an answer before or not."""
        self._create(creation, fault)
        return creation if creation.id else multiple()

    @rule(target=payments, creation=creations)
    def use_created(self, creation: Creation) -> object:
        return creation if creation.id else multiple()

    def _create(self, creation: Creation, fault: Fault) -> None:
        self.set_fault("create_payment", fault)
        creation.repeats |= fault is not None and fault[0] == "500_after"
        headers = {"Idempotency-Key": creation.key}
        answer = creation.client.ask("POST", f"{PAYMENTS}/intents", creation.body, headers)
        assert answer.status in (201, 202, 503), answer
        assert answer.status == 201 or fault or creation.repeats, answer
        if answer.status == 503:
            return
        body = answer.json()
        assert creation.id in (None, body["id"]), "a retry made another payment"
        creation.id = body["id"]
        if token := body.get("guest_token"):
            creation.client = creation.client.acting(x_guest_token=token)

    @rule(target=confirms, creation=payments, method=CARDS, fault=FAULTS)
    def confirm(self, creation: Creation, method: str, fault: Fault) -> Confirm:
        self.confirmed += 1
        sent = Confirm(creation, method, f"confirm-{self.confirmed}")
        self._confirm(sent, fault)
        return sent

    @rule(sent=confirms, fault=FAULTS)
    def confirm_again(self, sent: Confirm, fault: Fault) -> None:
        self._confirm(sent, fault)

    def _confirm(self, sent: Confirm, fault: Fault) -> None:
        creation, before = sent.creation, self.charges()
        self.set_fault("confirm", fault)
        answer = creation.client.ask(
            "POST",
            f"{PAYMENTS}/confirm/{creation.id}",
            {"payment_method_id": sent.method},
            {"Idempotency-Key": sent.key},
        )
        assert answer.status in (200, 202, 402, 409, 503), answer
        if answer.status in (200, 202):
            self.assert_true_of(creation, answer)
        else:
            assert self.charges() == before, "refused, but somebody was charged"

    @rule(creation=payments, total=TOTALS, fault=FAULTS)
    def update_total(self, creation: Creation, total: int, fault: Fault) -> None:
        if "guest_data" in creation.body:
            return  # a guest token changes nothing
        self.set_fault("update_payment", fault)
        answer = creation.client.ask(
            "PUT", f"{PAYMENTS}/intents/{creation.id}", {"total_cents": total}
        )
        assert answer.status in (200, 202, 409, 503), answer
        if answer.status == 200:
            creation.totals = {total}
        elif answer.status == 202:
            creation.totals = creation.totals | {total}
        if answer.status in (200, 202):
            self.assert_true_of(creation, answer)

    @rule(creation=payments, description=st.sampled_from(["a", "b", "c"]))
    def update_description(self, creation: Creation, description: str) -> None:
        if "guest_data" in creation.body:
            return
        target = f"{PAYMENTS}/intents/{creation.id}"
        answer = creation.client.ask("PUT", target, {"description": description})
        assert answer.status == 200, "our own fields can change in any state"
        creation.description = description
        self.assert_true_of(creation, answer)

    @rule(creation=payments, fault=FAULTS)
    def sync(self, creation: Creation, fault: Fault) -> None:
        self.set_fault("fetch", fault)
        answer = creation.client.ask("POST", f"{PAYMENTS}/sync/{creation.id}")
        assert answer.status in (200, 502, 503, 504), answer
        assert answer.status == 200 or fault or creation.repeats, answer
        if answer.status == 200:
            self.assert_true_of(creation, answer)
            body = answer.json()
            charged = self.charges()[body["provider_payment_id"]]
            assert (body["status"] == "succeeded") == (charged == 1), body

    @rule(creation=payments)
    def get(self, creation: Creation) -> None:
        self.assert_true_of(creation, creation.client.ask("GET", f"{PAYMENTS}/{creation.id}"))

    @rule(seconds=st.sampled_from([1, 20, 100]))
    def wait_and_sweep(self, seconds: int) -> None:
        self.environment.stripe.faults.clear()
        self.later(seconds)
        self.environment.gateway.functions.invoke("JobsSweepPayments", {})

    @invariant()
    def nobody_is_charged_twice(self) -> None:
        assert all(number == 1 for number in self.charges().values())

    def listed(self) -> list[str]:
        own = self.user.ask("GET", f"{PAYMENTS}?limit=500").json()
        guests = self.guest.ask("GET", f"{PAYMENTS}/guest/{GUEST['email']}").json()
        return [each["id"] for each in [*own, *guests]]

    @rule()
    def every_known_payment_is_listed_once(self) -> None:
        listed = self.listed()
        assert len(listed) == len(set(listed)) == len(self.made)
        assert {each.id for each in self.made if each.id} <= set(listed)

    def teardown(self) -> None:
        if not hasattr(self, "made"):
            return
        self.every_known_payment_is_listed_once()
        for seconds in (90, 90, 90, 90, MEMORY_S):
            self.wait_and_sweep(seconds)
        payments = stored_payments(scan_of(self.environment.template))
        assert_converged(payments, self.environment.stripe)
        stored = {payment.id: payment for payment in payments}
        for creation in self.made:
            if creation.id:
                payment = stored.pop(creation.id)
                assert payment.total_cents in creation.totals
                assert payment.description == creation.description
        assert len(stored) == len([each for each in self.made if not each.id])
        clock.set_offset(0)


@pytest.mark.slow
@pytest.mark.usefixtures("tables", "stripe_simulator")
def test_payments_are_charged_at_most_once_and_agree_with_the_provider_whatever_is_lost(
    environment: Environment,
) -> None:
    Story.environment = environment
    budget = settings(max_examples=settings().max_examples // 4, stateful_step_count=15)
    run_state_machine_as_test(Story, settings=budget)
