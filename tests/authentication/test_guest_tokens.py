"""Guest tokens: signed, for one record, for 30 days. Source: docs/api/native.md, section 2 (B8)."""

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from bridge import clock, ssm
from bridge.authentication import guest_tokens, signing
from bridge.errors import AuthUnavailable, NotAuthenticated

pytestmark = pytest.mark.usefixtures("tables")
PutSecret = Callable[[str, str], None]
DAY = 24 * 3600
OLD, NEW = "k1:the-old-key-of-32-characters-....", "k2:the-new-key-of-32-characters-...."


@pytest.fixture
def keys(put_secret: PutSecret) -> Callable[[str], None]:
    """Set TOKEN_KEYS, and forget the secrets that this process has read."""

    def put(value: str) -> None:
        put_secret("TOKEN_KEYS", value)
        ssm.forget_secrets()

    return put


def assert_refused(token: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        guest_tokens.authenticate(token)
    assert (refused.value.status, refused.value.code) == (401, "session_invalid")


def test_guest_token_opens_the_record_it_was_issued_for() -> None:
    caller = guest_tokens.authenticate(guest_tokens.issue("pay_123"))
    assert (caller.guest_of, caller.user_id, caller.kind) == ("pay_123", None, "guest")
    assert not caller.is_nobody


def test_guest_token_has_only_url_safe_characters() -> None:
    token = guest_tokens.issue("pay_123")
    assert token.isascii()
    assert set(token) <= set("._-") | {chr(n) for n in range(128) if chr(n).isalnum()}


def test_guest_token_is_valid_for_30_days() -> None:
    token = guest_tokens.issue("pay_123")
    clock.set_offset(30 * DAY - 5)
    guest_tokens.authenticate(token)
    clock.set_offset(30 * DAY + 1)
    assert_refused(token)


@given(st.data())
def test_guest_token_with_one_changed_character_is_refused(data: st.DataObject) -> None:
    token = guest_tokens.issue("pay_123")
    place = data.draw(st.integers(0, len(token) - 2))  # the last one's low bits carry nothing
    other = data.draw(st.sampled_from("AZaz09-_.").filter(lambda each: each != token[place]))
    assert_refused(token[:place] + other + token[place + 1 :])


@given(st.text(max_size=60) | st.sampled_from(["k1", "k1.", "k1.W10.x", ".", "k1..", "k9.a.b"]))
def test_authenticate_refuses_a_text_that_is_not_a_token(token: str) -> None:
    assert_refused(token)


def test_shortened_or_extended_guest_token_is_refused() -> None:
    token = guest_tokens.issue("pay_123")
    for other in (token[:-1], token[:-5], token + "A", token.partition(".")[2], f"{token}.{token}"):
        assert_refused(other)


def test_b8_signing_keys_rotate_by_their_ids(keys: Callable[[str], None]) -> None:
    """The new key is added, then it signs, then the old one is removed."""
    keys(OLD)
    of_old = guest_tokens.issue("pay_1")
    keys(f"{OLD},{NEW}")
    assert guest_tokens.issue("pay_1").startswith("k1.")
    keys(f"{NEW}, {OLD}")
    of_new = guest_tokens.issue("pay_2")
    assert of_new.startswith("k2.")
    assert guest_tokens.authenticate(of_old).guest_of == "pay_1"
    assert guest_tokens.authenticate(of_new).guest_of == "pay_2"
    keys(NEW)
    assert guest_tokens.authenticate(of_new).guest_of == "pay_2"
    assert_refused(of_old)


def test_guest_token_with_another_key_id_is_refused(keys: Callable[[str], None]) -> None:
    keys(f"{OLD},{NEW}")
    of_old = guest_tokens.issue("pay_1")
    assert_refused("k2" + of_old.removeprefix("k1"))
    keys("k1:another key under the same id")
    assert_refused(of_old)


def test_guest_token_of_another_deployment_is_refused(keys: Callable[[str], None]) -> None:
    keys("k1:theirs")
    token = guest_tokens.issue("pay_123")
    keys("k1:ours")
    assert_refused(token)


@pytest.mark.parametrize("value", ["no colon in it", ",", " "])
def test_invalid_token_keys_raise_auth_unavailable(keys: Callable[[str], None], value: str) -> None:
    keys(value)
    for act in (
        signing.check_ready,
        lambda: guest_tokens.issue("pay_1"),
        lambda: guest_tokens.authenticate("k1.a.b"),
    ):
        with pytest.raises(AuthUnavailable):
            act()


def test_missing_token_keys_raise_auth_unavailable_and_not_401(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRETS_PREFIX", "/nowhere")
    with pytest.raises(AuthUnavailable):
        guest_tokens.authenticate("k1.a.b")
    with pytest.raises(AuthUnavailable):
        signing.check_ready()
