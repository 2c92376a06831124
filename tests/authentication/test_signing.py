"""Signed tokens: what they carry, and that one purpose's is none of another's."""

import pytest

from bridge import clock
from bridge.authentication import signing

pytestmark = pytest.mark.usefixtures("tables")


@pytest.mark.parametrize("content", ["pay_123", ["a", None], ["a", ["b", "c"]], {"ü": 1}])
def test_what_was_signed_is_read_again_until_it_ends(content: object) -> None:
    token = signing.issue("test", content, 900)
    assert signing.read("test", token) == content
    clock.set_offset(895)
    assert signing.read("test", token) == content
    clock.set_offset(901)
    assert signing.read("test", token) is None


def test_a_token_of_one_purpose_is_none_of_another() -> None:
    token = signing.issue("monri", ["a", None], 900)
    assert signing.read("alternative", token) is None
    assert signing.read("guest-token", token) is None
