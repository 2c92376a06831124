"""Our table of currencies equals the iso4217 package."""

import iso4217

from bridge.models.currency import EXPONENTS


def test_the_table_equals_iso_4217() -> None:
    package = {each.code: each.exponent for each in iso4217.Currency if each.exponent is not None}
    assert package == EXPONENTS
