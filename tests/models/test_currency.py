"""Our table of currencies equals the iso4217 package."""

import iso4217
import pytest
from pydantic import TypeAdapter, ValidationError

from bridge.models.currency import EXPONENTS, Currency

CODE: TypeAdapter[str] = TypeAdapter(Currency)


def test_the_table_equals_iso_4217() -> None:
    package = {each.code: each.exponent for each in iso4217.Currency if each.exponent is not None}
    assert package == EXPONENTS


@pytest.mark.parametrize("given", ["usd", "USD", "uSd"])
def test_b14_a_currency_in_any_case_is_stored_in_upper_case(given: str) -> None:
    assert CODE.validate_python(given) == "USD"


@pytest.mark.parametrize("given", ["", "US", "USDT", " USD", "XAU", "XXX", "XTS", "ﬁx", "ı", 840])
def test_b14_other_texts_and_codes_without_a_minor_unit_are_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        CODE.validate_python(given)
