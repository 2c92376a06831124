"""The addresses to which a provider may send the payer back (B19).

Source: docs/api/native.md, section 4.
"""

from collections.abc import Callable

import pytest

from bridge.core.payments import return_urls
from bridge.errors import InvalidRequest

Setting = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def hosts(setting: Setting) -> None:
    setting("RETURN_URL_HOSTS", "shop.example.com, pay.example.com")


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com",
        "https://SHOP.example.com/back?a=1#top",
        "https://pay.example.com:8443/",
        "http://localhost:3000/back",
        "http://127.0.0.1/back",
        "http://[::1]:3000",
    ],
)
def test_b19_address_on_an_allowed_host_passes(url: str) -> None:
    return_urls.check(return_url=url, cancel_url=None)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://shop.example.com.evil.test",
        "https://evil.test/shop.example.com",
        "https://evil.test?shop.example.com",
        "https://localhost",
        "http://shop.example.com",
        "http://localhost.evil.test",
    ],
)
def test_b19_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        return_urls.check(return_url=url)
    assert [each.field for each in refused.value.details] == ["return_url"]
    assert "evil" not in str(refused.value)


def test_b19_every_wrong_address_is_in_the_details() -> None:
    with pytest.raises(InvalidRequest) as refused:
        return_urls.check(return_url="http://evil.test", cancel_url="https://evil.test")
    assert [each.field for each in refused.value.details] == ["return_url", "cancel_url"]


def test_b19_localhost_is_refused_outside_of_test_mode(setting: Setting) -> None:
    setting("MODE", "live")
    with pytest.raises(InvalidRequest):
        return_urls.check(return_url="http://localhost:3000")
    return_urls.check(return_url="https://shop.example.com")


@pytest.mark.parametrize(
    ("value", "default"), [("https://shop.example.com/", "https://shop.example.com/"), ("", None)]
)
def test_b19_default_is_the_setting_or_none(
    setting: Setting, value: str, default: str | None
) -> None:
    setting("RETURN_URL", value)
    assert return_urls.default() == default
