"""Whatever four APIs do to an organization's customers, in any order: each shows what a plain model
says, and none loses what only another one knows.

Fixed examples in `make test`, new ones in `make fuzz`. Source: the contracts of the four APIs; the
README's table of what maps to what.
"""

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given, settings

from bridge import clock
from local import database
from local.event import Answer
from tests.conftest import Environment
from tests.contracts.customer_apis import (
    ALTERNATIVE,
    MONRI,
    NATIVE,
    ORGANIZATION,
    PAYMENTS_AI,
    USER,
    USER_EMAIL,
    USER_NAME,
    Apis,
    enrol,
)
from tests.contracts.customer_model import (
    DIGITS,
    METHODS_SHOWN,
    NAMES,
    ROOM,
    SHOWS,
    Body,
    Facts,
    Shown,
    alternative_writes,
    monri_writes,
    native_writes,
    payments_ai_writes,
    suffix_of,
    text_of,
    too_large,
)
from tests.contracts.customer_operations import FIRST, RARELY, SOUGHT, THEN, Operation, flat, judged

SEQUENCES = 300
CUSTOM_FIELDS = f"/v1/public-api/organizations/{ORGANIZATION}/custom-fields"
SCHEMAS: dict[str, Body] = {
    "tier": {"type": "string", "additionalSchema": {"default": "basic", "maxLength": 20}},
    "points": {"type": "integer"},
}
USER_FIELDS = ("email", "first_name", "last_name", "job_title", "phone")


class Story:
    """One organization, four APIs; `made` is the model of all customers there ever were."""

    def __init__(self, environment: Environment, *, by_token: bool) -> None:
        database.clear()
        environment.stripe.reset()
        clock.set_offset(0)
        enrol(by_token=by_token)
        self.environment, self.moved = environment, 0
        self.apis = Apis(environment.gateway, by_token)
        self.made: list[Facts] = []
        self.defined: set[str] = set()

    def act(self, operation: Operation) -> None:
        """The second of an operation says to whom it happens, where that is a customer."""
        name, who, arguments = operation
        if who is None:
            getattr(self, name)(*arguments)
        elif self.made:
            getattr(self, name)(self.made[who % len(self.made)], *arguments)

    def define(self, *names: str) -> None:
        """What a customer may have beside the fields of all."""
        for name in {"tier", *names} & SCHEMAS.keys() - self.defined:
            target = f"{CUSTOM_FIELDS}/customers/{name}"
            answer = self.apis.payments_ai("PUT", target, SCHEMAS[name])
            assert answer.status == 201, answer
            self.defined.add(name)

    def within(self, text: str, since: datetime) -> str:
        """A time that is told: of the call just made."""
        told = datetime.fromisoformat(text)
        assert since.replace(microsecond=0) <= told <= clock.now(), text
        return text

    def hold(self, api: str, facts: Facts, answer: Answer) -> None:
        """An answer that shows a customer shows what the model says."""
        assert text_of(answer.json()) == text_of(SHOWS[api](facts)), api

    def read(self, api: str, facts: Facts) -> None:
        answer = self.apis.read(api, facts)
        if api == "native" and not facts.lives:
            assert answer.status == 404, answer
            return
        assert answer.status == 200, answer
        self.hold(api, facts, answer)

    def listed(self) -> list[Facts]:
        """Living customers as every list has them: newest first, ties by id."""
        return sorted((each for each in self.made if each.lives), key=lambda each: each.age)[::-1]

    def claimant(self, external_id: str | None) -> Facts | None:
        """The one living customer that is found by it."""
        named = (each for each in self.made if each.lives and each.has_claim)
        return next((each for each in named if each.external_id == external_id), None)

    def born(self, suffix: str, at: str, since: datetime) -> Facts:
        assert len(suffix) == 26, suffix
        assert set(suffix) <= set(DIGITS), suffix
        assert suffix not in [each.suffix for each in self.made], "an id that is taken"
        return Facts(suffix, ORGANIZATION, self.within(at, since), at)

    def kept(self, api: str, facts: Facts, answer: Answer) -> None:
        self.hold(api, facts, answer)
        self.made.append(facts)

    def create_native(self, body: Body) -> None:
        since = clock.now()
        asked = body | {"provider_id": "stripe", "organization_id": ORGANIZATION}
        answer = self.apis.native("POST", NATIVE, asked)
        assert answer.status == 201, answer
        shown = answer.json()
        facts = self.born(shown["id"].removeprefix("cust_"), shown["created_at"], since)
        facts.user_id, facts.provider_id = USER, "stripe"
        facts.provider_customer_id = shown["provider_customer_id"]
        sent = {name: each for name, each in body.items() if each is not None}
        if not sent.get("name", "").strip():
            sent.pop("name", None)
        native_writes(facts, {"email": USER_EMAIL} | sent)
        if not facts.name:  # what is missing comes from the session (B8)
            facts.name, facts.name_is_made = USER_NAME, False
        self.kept("native", facts, answer)

    def create_payments_ai(self, body: Body, retried: bool) -> None:
        since = clock.now()
        self.define(*(body.get("customFields") or {}))
        headers = {"Idempotency-Key": f"creation {len(self.made)}"} if retried else {}
        answer = self.apis.payments_ai("POST", PAYMENTS_AI, body, headers)
        values, faults = judged(body)
        if faults:
            self.refused(answer, 400, faults)
            return
        assert answer.status == 201, answer
        shown = answer.json()
        suffix = shown["id"].removeprefix("cus_")
        facts = self.born(suffix, shown["createdTime"], since)
        payments_ai_writes(facts, flat(body))
        named = body.get("customFields") or {}
        facts.custom_fields = values if "tier" in named else {"tier": "basic"} | values
        self.kept("payments_ai", facts, answer)
        if retried:
            again = self.apis.payments_ai("POST", PAYMENTS_AI, body, headers)
            assert (again.status, again.body) == (201, answer.body)

    def create_monri(self, body: Body) -> None:
        since = clock.now()
        answer = self.apis.monri("POST", MONRI, body)
        if fault := self.monri_fault(body, None):
            self.refused(answer, 400, [fault])
            return
        assert answer.status == 200, answer
        shown = answer.json()
        facts = self.born(suffix_of(shown["uuid"]), shown["created_at"], since)
        monri_writes(facts, body)
        self.kept("monri", facts, answer)

    def monri_fault(self, body: Body, seen: Facts | None) -> str | None:
        """Why a change, or a creation, is refused."""
        after = seen.copied() if seen else Facts("", "", "", "")
        monri_writes(after, body)
        if too_large(body.get("metadata")) or (body.get("metadata") and too_large(after.metadata)):
            return f"Metadata is too large (maximum is {ROOM} bytes)"
        if seen and not seen.lives:
            return "Customer is deleted"
        if body.get("merchant_customer_id") and self.claimant(after.external_id) not in (
            None,
            seen,
        ):
            return "Merchant customer has already been taken"
        return None

    def create_alternative(self, body: Body) -> None:
        """An external id may be taken: then another one goes on being found by it (D9)."""
        since = clock.now()
        answer = self.apis.alternative("POST", ALTERNATIVE, body)
        assert answer.status == 201, answer
        shown = answer.json()
        suffix = shown["id"].removeprefix("cus_")
        facts = self.born(suffix, shown["created_at"], since)
        alternative_writes(facts, body)
        facts.has_claim = facts.external_id is not None and not self.claimant(facts.external_id)
        self.kept("alternative", facts, answer)

    def changed(self, seen: Facts, after: Facts, at: str, since: datetime, **how: bool) -> None:
        """`at`: what the API says of the last change. Without an effect there was none."""
        if how.get("touches") or not after.is_as(seen):
            after.changed_at, after.revision = self.within(at, since), seen.revision + 1
        vars(seen).update(vars(after))

    def update_native(self, facts: Facts, body: Body) -> None:
        since, after = clock.now(), facts.copied()
        answer = self.apis.native("PUT", f"{NATIVE}/{facts.native_id}", body)
        if not facts.lives:
            assert answer.status == 404, answer
            return
        assert answer.status == 200, answer
        native_writes(after, body)
        self.changed(facts, after, answer.json()["updated_at"], since)
        self.hold("native", facts, answer)

    def update_payments_ai(self, facts: Facts, body: Body, method: str) -> None:
        since, after = clock.now(), facts.copied()
        self.define(*(body.get("customFields") or {}))
        answer = self.apis.payments_ai(method, f"{PAYMENTS_AI}/{facts.short_id}", body)
        payments_ai_writes(after, flat(body))
        values, faults = judged(body)
        if "customFields" in body:
            after.custom_fields = values
        if faults:
            self.refused(answer, 400, faults)
        elif not facts.lives:
            self.refused(answer, 409, ["customer is deleted"])
        else:
            assert answer.status == 200, answer
            self.changed(facts, after, answer.json()["updatedTime"], since)
            self.hold("payments_ai", facts, answer)

    def update_monri(self, facts: Facts, body: Body) -> None:
        since, after = clock.now(), facts.copied()
        answer = self.apis.monri("POST", f"{MONRI}/{facts.uuid}", body)
        if fault := self.monri_fault(body, facts):
            self.refused(answer, 400, [fault])
            return
        assert answer.status == 200, answer
        monri_writes(after, body)
        self.changed(facts, after, answer.json()["updated_at"], since, touches=True)
        self.hold("monri", facts, answer)

    def refused(self, answer: Answer, status: int, lines: list[str]) -> None:
        body = answer.json()
        assert answer.status == status, (answer, lines)
        told = body["errors"] if "errors" in body else body["details"].split("; ")
        assert told == lines

    def delete(self, facts: Facts, api: str) -> None:
        """The first time it goes, whoever asks; later each API has its own way to say so."""
        since, lived = clock.now(), facts.lives
        if lived:
            facts.has_claim, facts.revision = False, facts.revision + 1
        match api:
            case "native":
                answer = self.apis.native("DELETE", f"{NATIVE}/{facts.native_id}")
                assert answer.status == (204 if lived else 404), answer
            case "payments_ai":
                answer = self.apis.payments_ai("DELETE", f"{PAYMENTS_AI}/{facts.short_id}")
                assert answer.status == 204, answer
            case "monri":
                answer = self.apis.monri("DELETE", f"{MONRI}/{facts.uuid}")
                named = {"status": "approved", "id": facts.uuid, "uuid": facts.uuid}
                assert (answer.status, answer.json()) == (200, named | {"deleted": True})
            case _:
                answer = self.apis.alternative("DELETE", f"{ALTERNATIVE}/{facts.short_id}")
                assert answer.status == 200, answer
                self.hold("alternative", facts, answer)
        if lived:
            at = self.apis.read("monri", facts).json()["deleted_at"]
            facts.gone_at = facts.changed_at = self.within(at, since)

    def add_user(self, facts: Facts, body: Body) -> None:
        since, target = clock.now(), f"{ALTERNATIVE}/{facts.short_id}/users"
        answer = self.apis.alternative("POST", target, body)
        if not facts.lives:
            assert answer.status == 422, answer
            return
        assert answer.status == 201, answer
        shown = answer.json()
        told = {name: body.get(name) or None for name in USER_FIELDS}
        assert shown == told | {"id": shown["id"], "created_at": shown["created_at"]}
        self.within(shown["created_at"], since)
        facts.users.insert(0, shown)

    def wait(self, seconds: int) -> None:
        self.moved += seconds
        clock.set_offset(self.moved)
        self.environment.stripe.advance(seconds)
        self.apis.forget_tokens()

    def look(self, api: str, size: int, sought: str) -> None:
        """Lists that are narrowed, `size` a page."""
        match api:
            case "native":
                asked = {"organization_id": ORGANIZATION, "provider_id": "stripe"}
                self.are(api, self.apis.native_list(size), [each.user_id for each in self.listed()])
                narrowed = [each.provider_id for each in self.listed()]
                self.are(api, self.apis.native_list(size, **asked), narrowed)
            case "payments_ai":
                found = self.apis.payments_ai_list(size, search=sought, sort="createdTime")
                self.are(api, found[::-1], [each.searched(sought) for each in self.listed()])
            case "monri":
                self.are(api, self.apis.monri_list(size), [True for _ in self.listed()])
            case _:
                found = self.apis.alternative_list(ALTERNATIVE, size, company_name=sought)
                self.are(api, found, [each.called(sought) for each in self.listed()])

    def are(self, api: str, shown: list[Shown], wanted: Sequence[object]) -> None:
        """Those of the living customers, in their order, that are wanted."""
        expected = [facts for facts, is_one in zip(self.listed(), wanted, strict=True) if is_one]
        assert text_of(shown) == text_of([SHOWS[api](each) for each in expected]), api

    def attach(self, facts: Facts) -> None:
        """One that no provider knows yet is made there first. The first method is the default."""
        since, target = clock.now(), f"{PAYMENTS_AI}/{facts.short_id}/payment-instruments"
        answer = self.apis.payments_ai("POST", target, {"token": "pm_card_visa"})
        if not facts.lives:
            self.refused(answer, 409, ["customer is deleted"])
            return
        if not (facts.provider_id or (facts.email or "").isascii()):
            self.refused(answer, 400, [f"email: Invalid email address: {facts.email}"])
            return  # what a provider refuses is told (B5), and the customer stays without
        assert answer.status == 201, answer
        shown = answer.json()
        self.within(shown["createdTime"], since)
        facts.methods.insert(
            0, {"id": shown["id"], "at": shown["createdTime"], **shown["creditCard"]}
        )
        facts.default_method = facts.default_method or shown["id"]
        if facts.provider_id is None:
            facts.provider_id = "stripe"
            told = self.apis.read("native", facts).json()
            facts.provider_customer_id = told["provider_customer_id"]
            assert facts.provider_customer_id, told
        self.revised(facts)

    def revised(self, facts: Facts) -> None:
        """What is saved for a customer moves the revision by as much as it likes."""
        revision = self.apis.read("payments_ai", facts).json()["revision"]
        assert revision > facts.revision
        facts.revision = revision

    def choose(self, facts: Facts, number: int | None) -> None:
        """The default, or none. One that is nobody's is refused."""
        since, after = clock.now(), facts.copied()
        known = [each["id"] for each in facts.methods]
        chosen = None if number is None else [*known, "pm_0", "pm_0", "pm_0"][number]
        body = {"defaultPaymentInstrumentId": chosen}
        answer = self.apis.payments_ai("PUT", f"{PAYMENTS_AI}/{facts.short_id}", body)
        payments_ai_writes(after, body)
        if not facts.lives:
            self.refused(answer, 409, ["customer is deleted"])
        elif chosen == "pm_0":
            said = "defaultPaymentInstrumentId: does not belong to this customer"
            self.refused(answer, 400, [said])
        else:
            assert answer.status == 200, answer
            self.changed(facts, after, answer.json()["updatedTime"], since)
            self.hold("payments_ai", facts, answer)

    def detach(self, facts: Facts, number: int) -> None:
        """Losing the default promotes the newest (D 25)."""
        gone = facts.methods[number]["id"] if number < len(facts.methods) else f"pm_{'0' * 26}"
        target = f"{PAYMENTS_AI}/{facts.short_id}/payment-instruments/{gone}"
        answer = self.apis.payments_ai("DELETE", target)
        if not facts.lives or number >= len(facts.methods):
            assert answer.status == 404, answer
            return
        assert answer.status == 204, answer
        del facts.methods[number]
        if facts.default_method == gone:
            facts.default_method = facts.methods[0]["id"] if facts.methods else None
        self.revised(facts)

    def finish_deletions(self) -> None:
        """What the job takes away is what nobody can use any more."""
        self.environment.gateway.functions.invoke("JobsFinishDeletion", {})
        for facts in self.made:
            if not facts.lives:
                facts.methods.clear()

    def end(self) -> None:
        """Every living customer is in all four lists, and every one is what it is by its id."""
        for api in NAMES:
            shown = self.apis.all_of(api, 50)
            assert text_of(shown) == text_of([SHOWS[api](each) for each in self.listed()]), api
        for number, facts in enumerate(self.made):
            for api in NAMES if not facts.lives else [NAMES[number % len(NAMES)]]:
                self.read(api, facts)
            if facts.users:
                target = f"{ALTERNATIVE}/{facts.short_id}/users"
                assert self.apis.alternative_list(target, 50) == facts.users
            if facts.methods:
                self.read_methods(facts)
        for external_id in {each.external_id for each in self.made if each.external_id}:
            answer = self.apis.read_by_merchant_id(external_id)
            if claimant := self.claimant(external_id):
                self.hold("monri", claimant, answer)
            else:
                assert answer.status == 404, answer
                self.create_monri({"merchant_customer_id": external_id})  # which is free again

    def read_methods(self, facts: Facts) -> None:
        """What is saved, in all four; of a deleted customer one API shows it until it is gone."""
        for api in NAMES if facts.lives else ["alternative"]:
            expected = METHODS_SHOWN[api](facts)
            shown = self.apis.methods_of(api, facts)
            parts = [
                {name: each[name] for name in wanted}
                for each, wanted in zip(shown, expected, strict=True)
            ]
            assert text_of(parts) == text_of(expected), api


@pytest.mark.usefixtures("tables", "stripe_simulator")
def test_four_apis_show_one_customer_as_a_plain_model_says(environment: Environment) -> None:
    @settings(max_examples=max(SEQUENCES, settings().max_examples))
    @given(by_token=RARELY, first=FIRST, then=THEN, sought=SOUGHT)
    def holds(by_token: bool, first: list[Operation], then: list[Operation], sought: str) -> None:
        story = Story(environment, by_token=by_token)
        for each in first + then:
            story.act(each)
        story.end()
        story.look("payments_ai", 50, sought)

    holds()
