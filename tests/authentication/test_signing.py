"""Signed tokens: what they carry, and that one purpose's is none of another's."""

import pytest

from bridge import clock
from bridge.authentication import signing

pytestmark = pytest.mark.usefixtures("tables")


@pytest.mark.parametrize("content", ["pay_123", ["a", None], ["a", ["b", "c"]], {"ü": 1}])
def test_read_returns_the_content_until_the_token_expires(content: object) -> None:
    token = signing.issue("test", content, 900)
    assert signing.read("test", token) == content
    clock.set_offset(895)
    assert signing.read("test", token) == content
    clock.set_offset(901)
    assert signing.read("test", token) is None


def test_token_of_one_purpose_is_invalid_for_another() -> None:
    token = signing.issue("monri", ["a", None], 900)
    assert signing.read("alternative", token) is None
    assert signing.read("guest-token", token) is None
