"""Four APIs change an organization's customers in any order. Each API shows what the model says.

No API loses a field that only another API knows. Fixed examples in `make test`, new ones in
`make fuzz`. Source: the documents of the four APIs in docs/api.
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
    enroll,
)
from tests.contracts.customer_model import (
    DIGITS,
    METADATA_BYTES,
    METHODS_BY,
    NAMES,
    RENDERED_BY,
    Body,
    Facts,
    Rendered,
    suffix_of,
    text_of,
    too_large,
    write_alternative,
    write_monri,
    write_native,
    write_payments_ai,
)
from tests.contracts.customer_operations import (
    FIRST,
    RARELY,
    SEARCHED,
    THEN,
    Operation,
    expected_custom_fields,
    flat,
)

SEQUENCES = 300
CUSTOM_FIELDS = f"/v1/public-api/organizations/{ORGANIZATION}/custom-fields"
SCHEMAS: dict[str, Body] = {
    "tier": {"type": "string", "additionalSchema": {"default": "basic", "maxLength": 20}},
    "points": {"type": "integer"},
}
USER_FIELDS = ("email", "first_name", "last_name", "job_title", "phone")


class Story:
    """One organization and four APIs. `customers` models all customers, also deleted ones."""

    def __init__(self, environment: Environment, *, by_token: bool) -> None:
        database.clear()
        environment.stripe.reset()
        clock.set_offset(0)
        enroll(by_token=by_token)
        self.environment, self.moved = environment, 0
        self.apis = Apis(environment.gateway, by_token)
        self.customers: list[Facts] = []
        self.defined: set[str] = set()

    def run(self, operation: Operation) -> None:
        """Run an operation. Its second part is the number of a customer, or None."""
        name, who, arguments = operation
        if who is None:
            getattr(self, name)(*arguments)
        elif self.customers:
            getattr(self, name)(self.customers[who % len(self.customers)], *arguments)

    def define_fields(self, *names: str) -> None:
        """Define custom fields of the organization that are not defined yet."""
        for name in {"tier", *names} & SCHEMAS.keys() - self.defined:
            target = f"{CUSTOM_FIELDS}/customers/{name}"
            answer = self.apis.payments_ai("PUT", target, SCHEMAS[name])
            assert answer.status == 201, answer
            self.defined.add(name)

    def assert_recent(self, text: str, since: datetime) -> str:
        """A time in a response must lie within the call. Returns it."""
        time = datetime.fromisoformat(text)
        assert since.replace(microsecond=0) <= time <= clock.now(), text
        return text

    def assert_matches(self, api: str, facts: Facts, answer: Answer) -> None:
        """The customer in a response is as the model says."""
        assert text_of(answer.json()) == text_of(RENDERED_BY[api](facts)), api

    def read(self, api: str, facts: Facts) -> None:
        """Get the customer. Only the native API no longer returns a deleted one."""
        answer = self.apis.read(api, facts)
        if api == "native" and not facts.exists:
            assert answer.status == 404, answer
            return
        assert answer.status == 200, answer
        self.assert_matches(api, facts, answer)

    def listed(self) -> list[Facts]:
        """The existing customers in the order of all lists: newest first, then by id."""
        return sorted(
            (each for each in self.customers if each.exists), key=lambda each: each.list_order
        )[::-1]

    def claimant(self, external_id: str | None) -> Facts | None:
        """The existing customer that is found by this external id."""
        claimants = (each for each in self.customers if each.exists and each.has_claim)
        return next((each for each in claimants if each.external_id == external_id), None)

    def new_facts(self, suffix: str, at: str, since: datetime) -> Facts:
        """The model of a customer that was just created, with its new id."""
        assert len(suffix) == 26, suffix
        assert set(suffix) <= set(DIGITS), suffix
        assert suffix not in [each.suffix for each in self.customers], "the id is not new"
        return Facts(suffix, ORGANIZATION, self.assert_recent(at, since), at)

    def remember(self, api: str, facts: Facts, answer: Answer) -> None:
        """Check the response of a creation, and add the customer to the model."""
        self.assert_matches(api, facts, answer)
        self.customers.append(facts)

    def create_native(self, body: Body) -> None:
        """Create by the native API."""
        since = clock.now()
        request = body | {"provider_id": "stripe", "organization_id": ORGANIZATION}
        answer = self.apis.native("POST", NATIVE, request)
        assert answer.status == 201, answer
        record = answer.json()
        facts = self.new_facts(record["id"].removeprefix("cust_"), record["created_at"], since)
        facts.user_id, facts.provider_id = USER, "stripe"
        facts.provider_customer_id = record["provider_customer_id"]
        sent = {name: each for name, each in body.items() if each is not None}
        if not sent.get("name", "").strip():
            sent.pop("name", None)
        write_native(facts, {"email": USER_EMAIL} | sent)
        if not facts.name:  # what is missing comes from the session (B8)
            facts.name, facts.name_is_derived = USER_NAME, False
        self.remember("native", facts, answer)

    def create_payments_ai(self, body: Body, retried: bool) -> None:
        """Create by payments.ai. `retried`: the same request again, with an idempotency key."""
        since = clock.now()
        self.define_fields(*(body.get("customFields") or {}))
        headers = {"Idempotency-Key": f"creation {len(self.customers)}"} if retried else {}
        answer = self.apis.payments_ai("POST", PAYMENTS_AI, body, headers)
        values, faults = expected_custom_fields(body)
        if faults:
            self.assert_refused(answer, 400, faults)
            return
        assert answer.status == 201, answer
        record = answer.json()
        suffix = record["id"].removeprefix("cus_")
        facts = self.new_facts(suffix, record["createdTime"], since)
        write_payments_ai(facts, flat(body))
        fields = body.get("customFields") or {}
        facts.custom_fields = values if "tier" in fields else {"tier": "basic"} | values
        self.remember("payments_ai", facts, answer)
        if retried:
            again = self.apis.payments_ai("POST", PAYMENTS_AI, body, headers)
            assert (again.status, again.body) == (201, answer.body)

    def create_monri(self, body: Body) -> None:
        """Create by Monri."""
        since = clock.now()
        answer = self.apis.monri("POST", MONRI, body)
        if fault := self.monri_fault(body, None):
            self.assert_refused(answer, 400, [fault])
            return
        assert answer.status == 200, answer
        record = answer.json()
        facts = self.new_facts(suffix_of(record["uuid"]), record["created_at"], since)
        write_monri(facts, body)
        self.remember("monri", facts, answer)

    def monri_fault(self, body: Body, seen: Facts | None) -> str | None:
        """The error of a change or of a creation, or None."""
        after = seen.copied() if seen else Facts("", "", "", "")
        write_monri(after, body)
        if too_large(body.get("metadata")) or (body.get("metadata") and too_large(after.metadata)):
            return f"Metadata is too large (maximum is {METADATA_BYTES} bytes)"
        if seen and not seen.exists:
            return "Customer is deleted"
        if body.get("merchant_customer_id") and self.claimant(after.external_id) not in (
            None,
            seen,
        ):
            return "Merchant customer has already been taken"
        return None

    def create_alternative(self, body: Body) -> None:
        """The external id may be taken; then the other customer is still found by it (A9)."""
        since = clock.now()
        answer = self.apis.alternative("POST", ALTERNATIVE, body)
        assert answer.status == 201, answer
        record = answer.json()
        suffix = record["id"].removeprefix("cus_")
        facts = self.new_facts(suffix, record["created_at"], since)
        write_alternative(facts, body)
        facts.has_claim = facts.external_id is not None and not self.claimant(facts.external_id)
        self.remember("alternative", facts, answer)

    def apply_change(
        self, seen: Facts, after: Facts, at: str, since: datetime, **how: bool
    ) -> None:
        """Take the change into the model. `at`: the response's time of the last change.

        The time and the revision change only if a value did, or if the API always touches them.
        """
        if how.get("touches") or not after.equals(seen):
            after.updated_at, after.revision = self.assert_recent(at, since), seen.revision + 1
        vars(seen).update(vars(after))

    def update_native(self, facts: Facts, body: Body) -> None:
        """Update by the native API."""
        since, after = clock.now(), facts.copied()
        answer = self.apis.native("PUT", f"{NATIVE}/{facts.native_id}", body)
        if not facts.exists:
            assert answer.status == 404, answer
            return
        assert answer.status == 200, answer
        write_native(after, body)
        self.apply_change(facts, after, answer.json()["updated_at"], since)
        self.assert_matches("native", facts, answer)

    def update_payments_ai(self, facts: Facts, body: Body, method: str) -> None:
        """Update by payments.ai."""
        since, after = clock.now(), facts.copied()
        self.define_fields(*(body.get("customFields") or {}))
        answer = self.apis.payments_ai(method, f"{PAYMENTS_AI}/{facts.short_id}", body)
        write_payments_ai(after, flat(body))
        values, faults = expected_custom_fields(body)
        if "customFields" in body:
            after.custom_fields = values
        if faults:
            self.assert_refused(answer, 400, faults)
        elif not facts.exists:
            self.assert_refused(answer, 409, ["customer is deleted"])
        else:
            assert answer.status == 200, answer
            self.apply_change(facts, after, answer.json()["updatedTime"], since)
            self.assert_matches("payments_ai", facts, answer)

    def update_monri(self, facts: Facts, body: Body) -> None:
        """Update by Monri, which always touches the time of the last change."""
        since, after = clock.now(), facts.copied()
        answer = self.apis.monri("POST", f"{MONRI}/{facts.uuid}", body)
        if fault := self.monri_fault(body, facts):
            self.assert_refused(answer, 400, [fault])
            return
        assert answer.status == 200, answer
        write_monri(after, body)
        self.apply_change(facts, after, answer.json()["updated_at"], since, touches=True)
        self.assert_matches("monri", facts, answer)

    def assert_refused(self, answer: Answer, status: int, lines: list[str]) -> None:
        """The response has exactly these error messages."""
        body = answer.json()
        assert answer.status == status, (answer, lines)
        errors = body["errors"] if "errors" in body else body["details"].split("; ")
        assert errors == lines

    def delete(self, facts: Facts, api: str) -> None:
        """The first call deletes it, by any API. Later calls have another result in each API."""
        since, existed = clock.now(), facts.exists
        if existed:
            facts.has_claim, facts.revision = False, facts.revision + 1
        match api:
            case "native":
                answer = self.apis.native("DELETE", f"{NATIVE}/{facts.native_id}")
                assert answer.status == (204 if existed else 404), answer
            case "payments_ai":
                answer = self.apis.payments_ai("DELETE", f"{PAYMENTS_AI}/{facts.short_id}")
                assert answer.status == 204, answer
            case "monri":
                answer = self.apis.monri("DELETE", f"{MONRI}/{facts.uuid}")
                ids = {"status": "approved", "id": facts.uuid, "uuid": facts.uuid}
                assert (answer.status, answer.json()) == (200, ids | {"deleted": True})
            case _:
                answer = self.apis.alternative("DELETE", f"{ALTERNATIVE}/{facts.short_id}")
                assert answer.status == 200, answer
                self.assert_matches("alternative", facts, answer)
        if existed:
            at = self.apis.read("monri", facts).json()["deleted_at"]
            facts.deleted_at = facts.updated_at = self.assert_recent(at, since)

    def add_user(self, facts: Facts, body: Body) -> None:
        """Add a contact by Alternative Payments."""
        since, target = clock.now(), f"{ALTERNATIVE}/{facts.short_id}/users"
        answer = self.apis.alternative("POST", target, body)
        if not facts.exists:
            assert answer.status == 422, answer
            return
        assert answer.status == 201, answer
        record = answer.json()
        sent = {name: body.get(name) or None for name in USER_FIELDS}
        assert record == sent | {"id": record["id"], "created_at": record["created_at"]}
        self.assert_recent(record["created_at"], since)
        facts.users.insert(0, record)

    def wait(self, seconds: int) -> None:
        """Let time pass. Access tokens expire."""
        self.moved += seconds
        clock.set_offset(self.moved)
        self.environment.stripe.advance(seconds)
        self.apis.forget_tokens()

    def list_filtered(self, api: str, size: int, searched_text: str) -> None:
        """Lists with filters, read in pages of `size`."""
        match api:
            case "native":
                request = {"organization_id": ORGANIZATION, "provider_id": "stripe"}
                self.assert_list(
                    api, self.apis.native_list(size), [each.user_id for each in self.listed()]
                )
                narrowed = [each.provider_id for each in self.listed()]
                self.assert_list(api, self.apis.native_list(size, **request), narrowed)
            case "payments_ai":
                found = self.apis.payments_ai_list(size, search=searched_text, sort="createdTime")
                self.assert_list(
                    api, found[::-1], [each.matches_search(searched_text) for each in self.listed()]
                )
            case "monri":
                self.assert_list(api, self.apis.monri_list(size), [True for _ in self.listed()])
            case _:
                found = self.apis.alternative_list(ALTERNATIVE, size, company_name=searched_text)
                self.assert_list(
                    api, found, [each.matches_name(searched_text) for each in self.listed()]
                )

    def assert_list(self, api: str, records: list[Rendered], selected: Sequence[object]) -> None:
        """The list has exactly the selected existing customers, in their order."""
        expected = [facts for facts, is_one in zip(self.listed(), selected, strict=True) if is_one]
        assert text_of(records) == text_of([RENDERED_BY[api](each) for each in expected]), api

    def attach(self, facts: Facts) -> None:
        """Save a method. The provider's customer is created first if there is none.

        The first method is the default.
        """
        since, target = clock.now(), f"{PAYMENTS_AI}/{facts.short_id}/payment-instruments"
        answer = self.apis.payments_ai("POST", target, {"token": "pm_card_visa"})
        if not facts.exists:
            self.assert_refused(answer, 409, ["customer is deleted"])
            return
        if not (facts.provider_id or (facts.email or "").isascii()):
            self.assert_refused(answer, 400, [f"email: Invalid email address: {facts.email}"])
            return  # the provider's refusal is reported (B5), and it has no customer yet
        assert answer.status == 201, answer
        record = answer.json()
        self.assert_recent(record["createdTime"], since)
        facts.methods.insert(
            0, {"id": record["id"], "at": record["createdTime"], **record["creditCard"]}
        )
        facts.default_method = facts.default_method or record["id"]
        if facts.provider_id is None:
            facts.provider_id = "stripe"
            native = self.apis.read("native", facts).json()
            facts.provider_customer_id = native["provider_customer_id"]
            assert facts.provider_customer_id, native
        self.revised(facts)

    def revised(self, facts: Facts) -> None:
        """A change of saved methods raises the revision, by any number."""
        revision = self.apis.read("payments_ai", facts).json()["revision"]
        assert revision > facts.revision
        facts.revision = revision

    def choose(self, facts: Facts, number: int | None) -> None:
        """Set or clear the default method. An unknown method is refused."""
        since, after = clock.now(), facts.copied()
        known = [each["id"] for each in facts.methods]
        chosen = None if number is None else [*known, "pm_0", "pm_0", "pm_0"][number]
        body = {"defaultPaymentInstrumentId": chosen}
        answer = self.apis.payments_ai("PUT", f"{PAYMENTS_AI}/{facts.short_id}", body)
        write_payments_ai(after, body)
        if not facts.exists:
            self.assert_refused(answer, 409, ["customer is deleted"])
        elif chosen == "pm_0":
            message = "defaultPaymentInstrumentId: does not belong to this customer"
            self.assert_refused(answer, 400, [message])
        else:
            assert answer.status == 200, answer
            self.apply_change(facts, after, answer.json()["updatedTime"], since)
            self.assert_matches("payments_ai", facts, answer)

    def detach(self, facts: Facts, number: int) -> None:
        """Delete a method. After the default the newest one becomes the default (P25)."""
        gone = facts.methods[number]["id"] if number < len(facts.methods) else f"pm_{'0' * 26}"
        target = f"{PAYMENTS_AI}/{facts.short_id}/payment-instruments/{gone}"
        answer = self.apis.payments_ai("DELETE", target)
        if not facts.exists or number >= len(facts.methods):
            assert answer.status == 404, answer
            return
        assert answer.status == 204, answer
        del facts.methods[number]
        if facts.default_method == gone:
            facts.default_method = facts.methods[0]["id"] if facts.methods else None
        self.revised(facts)

    def finish_deletions(self) -> None:
        """The job deletes the methods of deleted customers."""
        self.environment.gateway.functions.invoke("JobsFinishDeletion", {})
        for facts in self.customers:
            if not facts.exists:
                facts.methods.clear()

    def check_everything(self) -> None:
        """Every existing customer is in all four lists, and every customer is found by its id."""
        for api in NAMES:
            records = self.apis.list_all(api, 50)
            expected = [RENDERED_BY[api](each) for each in self.listed()]
            assert text_of(records) == text_of(expected), api
        for number, facts in enumerate(self.customers):
            for api in NAMES if not facts.exists else [NAMES[number % len(NAMES)]]:
                self.read(api, facts)
            if facts.users:
                target = f"{ALTERNATIVE}/{facts.short_id}/users"
                assert self.apis.alternative_list(target, 50) == facts.users
            if facts.methods:
                self.check_methods(facts)
        for external_id in {each.external_id for each in self.customers if each.external_id}:
            answer = self.apis.read_by_merchant_id(external_id)
            if claimant := self.claimant(external_id):
                self.assert_matches("monri", claimant, answer)
            else:
                assert answer.status == 404, answer
                self.create_monri({"merchant_customer_id": external_id})  # the id is free again

    def check_methods(self, facts: Facts) -> None:
        """The saved methods in all four APIs. Of a deleted customer, one API still lists them."""
        for api in NAMES if facts.exists else ["alternative"]:
            expected = METHODS_BY[api](facts)
            methods = self.apis.methods_of(api, facts)
            parts = [
                {name: each[name] for name in fields}
                for each, fields in zip(methods, expected, strict=True)
            ]
            assert text_of(parts) == text_of(expected), api


@pytest.mark.slow
@pytest.mark.usefixtures("tables", "stripe_simulator")
def test_four_apis_show_every_customer_as_the_model_says(environment: Environment) -> None:
    @settings(max_examples=max(SEQUENCES, settings().max_examples))
    @given(by_token=RARELY, first=FIRST, then=THEN, searched_text=SEARCHED)
    def holds(
        by_token: bool, first: list[Operation], then: list[Operation], searched_text: str
    ) -> None:
        story = Story(environment, by_token=by_token)
        for each in first + then:
            story.run(each)
        story.check_everything()
        story.list_filtered("payments_ai", 50, searched_text)

    holds()
