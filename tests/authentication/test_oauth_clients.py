"""OAuth clients, their tokens, and static keys. Source: docs/api/alternative.md, section 2."""

import base64

import pytest
from hypothesis import given, strategies as st

from bridge import clock, config
from bridge.authentication import oauth_clients
from bridge.errors import Forbidden, NotAuthenticated
from bridge.store.access import credential_items
from local import database
from tests.store.conftest import put_credential

pytestmark = pytest.mark.usefixtures("tables")
CLIENT, SECRET = "client-1", "s3cr3t:with:colons-č"


def basic(client_id: str = CLIENT, client_secret: str = SECRET, *, scheme: str = "Basic") -> str:
    pair = f"{client_id}:{client_secret}".encode()
    return f"{scheme} {base64.b64encode(pair).decode()}"


def assert_refused(authorization: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        oauth_clients.authenticate(authorization)
    assert (refused.value.status, refused.value.code) == (401, "credential_invalid")


def test_access_token_is_one_word_and_valid_for_an_hour() -> None:
    put_credential("oauth_client", CLIENT, SECRET)
    issued = oauth_clients.issue_token(basic())
    assert issued.life_s == 3600
    assert set(issued.token) <= set("._-") | {chr(n) for n in range(128) if chr(n).isalnum()}
    for authorization in (f"Bearer {issued.token}", f"bEARER  {issued.token}", issued.token):
        caller = oauth_clients.authenticate(authorization)
        assert (caller.key_of, caller.scopes, caller.kind) == ("org_1", None, "key")
    clock.set_offset(3595)
    oauth_clients.authenticate(issued.token)
    clock.set_offset(3601)
    assert_refused(issued.token)


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC "])
def test_issue_token_accepts_the_scheme_in_any_case(scheme: str) -> None:
    put_credential("oauth_client", CLIENT, SECRET)
    assert oauth_clients.issue_token(basic(scheme=scheme)).token


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Basic", "Basic ", "Basic !", "Basic Y2xpZW50LTE=", "Basic gICA", "Basic č"),
        *(basic(client_secret=""), basic(client_secret=SECRET + "x"), basic("client-2")),
        *(basic("", ""), basic("č"), basic(scheme="Bearer"), CLIENT),
    ],
)
def test_issue_token_with_a_wrong_pair_is_a_403(authorization: str) -> None:
    put_credential("oauth_client", CLIENT, SECRET)
    with pytest.raises(Forbidden) as refused:
        oauth_clients.issue_token(authorization)
    assert (refused.value.status, refused.value.code) == (403, "invalid_credentials")


def test_several_tokens_are_valid_until_their_client_is_revoked() -> None:
    made = put_credential("oauth_client", CLIENT, SECRET)
    put_credential("oauth_client", "client-2", SECRET)
    first = oauth_clients.issue_token(basic()).token
    clock.set_offset(1)
    second = oauth_clients.issue_token(basic()).token
    other = oauth_clients.issue_token(basic("client-2")).token
    for token in (first, second, other):
        assert oauth_clients.authenticate(token).key_of == "org_1"
    credential_items.revoke("org_1", made.id, clock.now())
    assert_refused(first)
    assert_refused(second)
    assert oauth_clients.authenticate(other).key_of == "org_1"
    with pytest.raises(Forbidden):
        oauth_clients.issue_token(basic())


@pytest.mark.parametrize("authorization", ["YOUR_API_KEY", "Bearer YOUR_API_KEY"])
def test_a2_static_key_is_accepted_bare_or_as_bearer(authorization: str) -> None:
    put_credential("api_key", "YOUR_API_KEY", organization_id="org_456")
    assert oauth_clients.authenticate(authorization).key_of == "org_456"


def test_a2_static_key_works_without_signing_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    put_credential("api_key", "YOUR_API_KEY")
    monkeypatch.setenv("SECRETS_PREFIX", "/nowhere")
    assert oauth_clients.authenticate("YOUR_API_KEY").key_of == "org_1"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "alt_", "alt_k1.a.b", basic(), "Token YOUR_API_KEY", "č", "\ud800"],
)
def test_authenticate_refuses_a_text_that_is_not_a_token(authorization: str) -> None:
    put_credential("oauth_client", CLIENT, SECRET)
    put_credential("api_key", "YOUR_API_KEY")
    assert_refused(authorization)


def test_only_the_hash_of_a_client_secret_is_stored() -> None:
    put_credential("oauth_client", CLIENT, SECRET)
    for table in ("ledger", "secrets", "ephemeral"):
        items = database.client().scan(TableName=config.table_name(table))["Items"]
        assert SECRET not in str(items)


@given(st.text(max_size=80), st.binary(max_size=40))
def test_any_text_in_the_header_is_refused_without_another_error(text: str, pair: bytes) -> None:
    for each in (text, f"Bearer {text}", f"alt_{text}", f"Bearer alt_k1.{text}"):
        assert_refused(each)
    for each in (text, f"Basic {text}", f"Basic {base64.b64encode(pair).decode()}"):
        with pytest.raises(Forbidden):
            oauth_clients.issue_token(each)
