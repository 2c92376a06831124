"""Subtotal, tax, discount and total (B14). Source: docs/api/native.md, section 4."""

from itertools import chain, combinations

import pytest
from hypothesis import assume, given, strategies as st
from pydantic import ValidationError

from bridge.bodies.payment import NewPayment, PaymentChange
from bridge.core.payments import amounts
from bridge.errors import InvalidRequest
from bridge.models.payment import Payment
from tests import records

MOST = 999_999_999_999
NAMES = ("subtotal_cents", "tax_cents", "discount_cents", "total_cents")
SMALL = st.integers(0, 12) | st.none()
CENTS = st.integers(0, MOST)
SUBSETS = chain.from_iterable(combinations(NAMES, size) for size in range(1, 5))
SUFFICIENT = [each for each in SUBSETS if {"subtotal_cents", "total_cents"} & set(each)]


@st.composite
def wholes(draw: st.DrawFn) -> dict[str, int]:
    """Four amounts that balance; tax and discount are often none."""
    tax = draw(st.just(0) | st.integers(0, MOST // 2))
    subtotal = draw(st.integers(0 if tax else 1, MOST - tax))
    discount = draw(st.just(0) | st.integers(0, subtotal + tax - 1))
    return dict(zip(NAMES, (subtotal, tax, discount, subtotal + tax - discount), strict=True))


WHOLE = wholes()


def asked(**cents: int | None) -> NewPayment:
    return NewPayment.model_validate({"currency": "USD"} | cents)


def stored(subtotal: int, tax: int = 0, discount: int = 0) -> Payment:
    return records.payment(
        subtotal_cents=subtotal,
        tax_cents=tax,
        discount_cents=discount,
        total_cents=subtotal + tax - discount,
    )


def all_four(found: amounts.Amounts) -> tuple[int, int, int, int]:
    return (
        found["subtotal_cents"],
        found["tax_cents"],
        found["discount_cents"],
        found["total_cents"],
    )


def assert_balanced(found: amounts.Amounts) -> None:
    subtotal, tax, discount, total = all_four(found)
    assert total == subtotal + tax - discount
    assert 1 <= total <= MOST
    assert all(0 <= cents <= MOST for cents in all_four(found))
    assert discount <= subtotal + tax


@given(SMALL, SMALL, SMALL, SMALL)
def test_b14_accepted_amounts_add_up_and_keep_what_was_sent(
    subtotal: int | None, tax: int | None, discount: int | None, total: int | None
) -> None:
    given_cents = dict(zip(NAMES, (subtotal, tax, discount, total), strict=True))
    try:
        found = amounts.complete(asked(**given_cents))
    except (InvalidRequest, ValidationError):
        return
    assert_balanced(found)
    sent = {name: cents for name, cents in given_cents.items() if cents is not None}
    assert sent.items() <= found.items()


@given(WHOLE, st.sampled_from(SUFFICIENT))
def test_b14_any_sufficient_subset_is_completed(
    whole: dict[str, int], names: tuple[str, ...]
) -> None:
    sent = {name: cents for name, cents in whole.items() if name in names}
    omitted = {name: 0 for name in ("tax_cents", "discount_cents") if name not in names}
    if whole | omitted == whole:
        assert amounts.complete(asked(**sent)) == whole
    assert_balanced(amounts.complete(asked(**whole)))


@given(CENTS, CENTS, st.integers(1, MOST))
def test_b14_total_that_does_not_add_up_is_refused(subtotal: int, tax: int, total: int) -> None:
    assume(total != subtotal + tax)
    with pytest.raises(InvalidRequest) as refused:
        amounts.complete(asked(subtotal_cents=subtotal, tax_cents=tax, total_cents=total))
    assert refused.value.code == "amount_mismatch"
    assert str(refused.value).endswith(f"= {subtotal + tax}")
    assert [each.field for each in refused.value.details] == ["total_cents"]


@pytest.mark.parametrize(
    ("cents", "field"),
    [
        ({"subtotal_cents": 0}, "total_cents"),
        ({"subtotal_cents": 10, "discount_cents": 10}, "total_cents"),
        ({"subtotal_cents": 10, "tax_cents": 2, "discount_cents": 13}, "discount_cents"),
        ({"total_cents": 10, "tax_cents": 11}, "total_cents"),
        ({"subtotal_cents": MOST, "tax_cents": 1}, "total_cents"),
        ({"total_cents": MOST, "discount_cents": 1}, "total_cents"),
    ],
)
def test_b14_computed_amounts_have_the_same_bounds(cents: dict[str, int], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        amounts.complete(asked(**cents))
    assert refused.value.code == "validation_failed"
    assert [each.field for each in refused.value.details] == [field]


@pytest.mark.parametrize(
    ("cents", "detail"),
    [
        (
            {"subtotal_cents": 10, "tax_cents": 2, "total_cents": 13},
            ("total_cents", "must be subtotal_cents + tax_cents - discount_cents = 12"),
        ),
        (
            {"total_cents": 10, "tax_cents": 14, "discount_cents": 3},
            ("total_cents", "must be at least 11, tax less discount"),
        ),
        (
            {"subtotal_cents": 10, "discount_cents": 11},
            ("discount_cents", "must not exceed subtotal_cents + tax_cents"),
        ),
        ({"subtotal_cents": 0}, ("total_cents", f"must be between 1 and {MOST}")),
    ],
)
def test_b14_refusal_names_the_field_and_what_it_must_be(
    cents: dict[str, int], detail: tuple[str, str]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        amounts.complete(asked(**cents))
    assert str(refused.value) == " ".join(detail)
    assert refused.value.details == [detail]


def test_b14_largest_amount_is_accepted() -> None:
    assert all_four(amounts.complete(asked(subtotal_cents=MOST))) == (MOST, 0, 0, MOST)


def test_b14_amounts_are_these_four_fields() -> None:
    assert frozenset(NAMES) == amounts.AMOUNTS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [True, "20", 20.5, 20.0, -1, MOST + 1, [1]])
def test_b14_amount_must_be_an_integer_in_range(name: str, wrong: object) -> None:
    for model in (NewPayment, PaymentChange):
        body = {"currency": "USD", "total_cents": 20} | {name: wrong}
        with pytest.raises(ValidationError):
            model.model_validate(body)


def test_b14_subtotal_or_total_is_required() -> None:
    with pytest.raises(ValidationError):
        asked(tax_cents=5)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"total_cents": 3000}, (2900, 200, 100, 3000)),
        ({"subtotal_cents": 3000}, (3000, 200, 100, 3100)),
        ({"tax_cents": 0}, (1900, 0, 100, 1800)),
        ({"discount_cents": 0}, (1900, 200, 0, 2100)),
        ({"tax_cents": 0, "discount_cents": 0}, (1900, 0, 0, 1900)),
        ({"total_cents": 3000, "tax_cents": 300}, (2800, 300, 100, 3000)),
        ({"subtotal_cents": 10, "total_cents": 110}, (10, 200, 100, 110)),
    ],
)
def test_b14_update_keeps_tax_and_discount_and_recomputes_the_rest(
    change: dict[str, int], expected: tuple[int, ...]
) -> None:
    found = amounts.change(stored(1900, 200, 100), PaymentChange.model_validate(change))
    assert all_four(found) == expected


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"subtotal_cents": 3000, "total_cents": 3000}, "amount_mismatch"),
        ({"total_cents": 50}, "validation_failed"),  # less than the tax that stays
        ({"discount_cents": 2101}, "validation_failed"),
        ({"discount_cents": 2100}, "validation_failed"),
        ({"tax_cents": MOST}, "validation_failed"),
    ],
)
def test_b14_update_is_checked_as_a_whole(change: dict[str, int], code: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        amounts.change(stored(1900, 200, 100), PaymentChange.model_validate(change))
    assert refused.value.code == code


@given(WHOLE, st.tuples(SMALL, SMALL, SMALL, SMALL))
def test_b14_amounts_add_up_after_any_update(
    whole: dict[str, int], change: tuple[int | None, ...]
) -> None:
    before = stored(*(whole[name] for name in NAMES[:3]))
    try:
        sent = PaymentChange.model_validate(dict(zip(NAMES, change, strict=True)))
        found = amounts.change(before, sent)
    except (InvalidRequest, ValidationError):
        return
    assert_balanced(found)
