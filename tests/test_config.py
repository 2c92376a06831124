"""Settings from the environment."""

from collections.abc import Callable

import pytest

from bridge import config

Put = Callable[[str, str], None]


@pytest.mark.parametrize(("value", "read"), [("", "fallback"), ("set", "set"), (" ", " ")])
def test_empty_setting_returns_its_default(setting: Put, value: str, read: str) -> None:
    setting("A_SETTING", value)
    assert config.setting("A_SETTING", "fallback") == read
    assert config.setting("A_SETTING_OF_NOBODY") == ""


@pytest.mark.parametrize(("value", "read"), [("", 7), ("0", 0), ("30", 30), (" 5 ", 5)])
def test_number_can_be_zero_and_returns_its_default_if_empty(
    setting: Put, value: str, read: int
) -> None:
    setting("A_NUMBER", value)
    assert config.number("A_NUMBER", 7) == read


@pytest.mark.parametrize("value", ["many", "1.5", "1e3"])
def test_number_that_is_not_whole_raises_value_error(setting: Put, value: str) -> None:
    setting("A_NUMBER", value)
    with pytest.raises(ValueError, match="invalid literal"):
        config.number("A_NUMBER", 7)


@pytest.mark.parametrize(
    ("value", "read"), [("", []), ("a", ["a"]), (" a , b,,", ["a", "b"]), (" , ", [])]
)
def test_list_is_split_at_commas(setting: Put, value: str, read: list[str]) -> None:
    setting("A_LIST", value)
    assert config.listed("A_LIST") == read


@pytest.mark.parametrize(("mode", "is_live"), [("live", True), ("test", False), ("", False)])
def test_stack_is_in_test_mode_unless_set_otherwise(
    setting: Put, mode: str, *, is_live: bool
) -> None:
    setting("MODE", mode)
    assert config.is_live() == is_live


def test_provider_base_url_cannot_be_replaced_in_production(setting: Put) -> None:
    own = "https://api.example.com"
    setting("A_BASE_URL", "http://127.0.0.1:1")
    assert config.provider_base_url("A_BASE_URL", own) == "http://127.0.0.1:1"
    setting("MODE", "live")
    with pytest.raises(ValueError, match="A_BASE_URL must not be set"):
        config.provider_base_url("A_BASE_URL", own)
    setting("A_BASE_URL", "")
    assert config.provider_base_url("A_BASE_URL", own) == own


@pytest.mark.parametrize("name", ["ledger", "ephemeral", "secrets"])
def test_table_name_comes_from_the_template(setting: Put, name: config.Table) -> None:
    assert name in config.table_name(name)
