"""Monri's digests and bearer tokens. Source: docs/api/monri.md, sections 2 and 3."""

import base64
import shutil
import subprocess
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import given, strategies as st

from bridge import clock
from bridge.authentication import merchants, oauth_clients
from bridge.errors import Forbidden, NotAuthenticated
from bridge.models.caller import Caller
from bridge.store.access import credential_items
from tests.store.conftest import put_credential

pytestmark = pytest.mark.usefixtures("tables")
KEY = "mk_demo_4f9c2a7e61b8d035"
TOKEN = "c0ffee00112233445566778899aabbccddeeff01"
AT = "1767225600"
CREATION = '{"merchant_customer_id":"crm-1001","name":"Lejla Kovač","country":"BA"}'.encode()
MERCHANT_ID = "/v2/merchants/customers/"
# The path as the gateway delivers it, the query, the body, the digest.
# Source: docs/api/monri.md, section 2.1.
GOLDEN = {
    "A": (
        "/v2/customers",
        "limit=2&offset=0",
        b"",
        (
            "a2e1813be39d2d2352c1d72a5ae95f1424a82f8c6a468ebb717e75a9706082c5"
            "4ea38b856aae386698b4ab61bf5b52c5584f162f67d76b07a35cb95da61f9c41"
        ),
    ),
    "B": (
        "/v2/customers",
        "",
        CREATION,
        (
            "0e842d34bcf032d993fa2bb1e276a72f7c785ff0c72f9ea86c3e7826028a9a2b"
            "156079457a0d58ae2d54cf915b0ecd0740ff4be126d730967ae5ac7dd7cba7e1"
        ),
    ),
    "C": (
        "/v2/merchants/customers/crm north/7",
        "",
        b"",
        (
            "7b5c94118f9ea62d7805b8f296a2e8c2520221c643f5f3ccfdfa1d2f2e4eb0b7"
            "9fc811e1e52776f52a985bc9bd204dd6a78b83122646fa7af364d443b0e7d26d"
        ),
    ),
    "D": (
        "/v2/customers/019b76da-a800-7b7a-8c21-5e0f7ad94b10",
        "",
        b"",
        (
            "c804dcf3742552957ae36ad8bfbc37567d75e65055ad9bb1d4ff6fbebed82f16"
            "3bd0e4d7a59185502004f2b44e89e514317913b29fc83bf7436aba462ce0f6f6"
        ),
    ),
}
ID = st.text(
    st.sampled_from(" ~*'()!/:@$&+,;=.-_%č漢7a"), min_size=1, max_size=20
)  # among others, the characters that clients encode differently


@pytest.fixture
def merchant(tables: None) -> None:
    """A merchant of org_1. The clock shows the time of the golden vectors."""
    put_credential("merchant", TOKEN, KEY)
    set_clock(int(AT))


def set_clock(seconds: float) -> None:
    clock.set_offset(0)
    clock.set_offset(seconds - clock.now().timestamp())


def sign(fullpath: str, body: bytes = b"", *, timestamp: str = AT, key: str = KEY) -> str:
    digest = merchants.digest_of(key, timestamp, TOKEN, fullpath, body)
    return f"WP3-v2.1 {TOKEN} {timestamp} {digest}"


def assert_refused(authorization: str, path: str, query: str = "", body: bytes = b"") -> None:
    with pytest.raises(NotAuthenticated) as refused:
        merchants.authenticate(authorization, path, query, body)
    assert (refused.value.code, str(refused.value)) == (
        "credential_invalid",
        "Authorization failed",
    )


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize("vector", GOLDEN)
def test_golden_digests_are_accepted(vector: str) -> None:
    path, query, body, digest = GOLDEN[vector]
    caller = merchants.authenticate(f"WP3-v2.1 {TOKEN} {AT} {digest}", path, query, body)
    assert (caller.key_of, caller.scopes, caller.kind) == ("org_1", None, "key")
    for written in (digest.upper(), digest):
        merchants.authenticate(f"wp3-V2.1   {TOKEN}  {AT} {written} ", path, query, body)


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize("vector", GOLDEN)
def test_digest_over_other_content_is_refused(vector: str) -> None:
    path, query, body, digest = GOLDEN[vector]
    signed = f"WP3-v2.1 {TOKEN} {AT} {digest}"
    assert_refused(signed, path + "x", query, body)
    assert_refused(signed, path, query + "&limit=3", body)
    assert_refused(signed, path, query, body + b" ")
    assert_refused(signed.replace(AT, str(int(AT) + 1)), path, query, body)
    assert_refused(signed.replace(TOKEN, TOKEN[:-1] + "2"), path, query, body)
    assert_refused(signed[:-1] + ("0" if signed[-1] != "0" else "1"), path, query, body)
    assert_refused(signed[:-1], path, query, body)


@pytest.mark.usefixtures("merchant")
def test_digest_over_the_path_without_its_query_is_refused() -> None:
    assert_refused(sign("/v2/customers"), "/v2/customers", "limit=2&offset=0")


@pytest.mark.usefixtures("merchant")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")
def test_digest_made_by_openssl_is_accepted() -> None:
    """The request has a query string, a UTF-8 body and a space in the id."""
    sent = f"{MERCHANT_ID}crm%20north?limit=2&note=%C4%8D"
    text = f"{KEY}{AT}{TOKEN}{sent}".encode() + CREATION
    made = subprocess.run(
        ["openssl", "dgst", "-sha512", "-r"], input=text, capture_output=True, check=True
    )
    digest = made.stdout.decode().split()[0]
    path, _, query = sent.partition("?")
    signed = f"WP3-v2.1 {TOKEN} {AT} {digest}"
    assert merchants.authenticate(signed, unquote(path), query, CREATION).key_of == "org_1"
    assert_refused(signed, unquote(path), query, CREATION.replace(b"BA", b"HR"))


ENCODINGS: dict[str, Callable[[str], str]] = {
    "none": lambda text: text,
    "RFC 3986": lambda text: quote(text, safe=""),
    "encodeURIComponent": lambda text: quote(text, safe="!'()*"),
    "PHP urlencode": lambda text: quote_plus(text).replace("~", "%7E"),
    "whole path": lambda text: quote(text, safe="/:@!$&'()*+,;="),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(identifier=ID)
def test_spellings_contain_every_encoding_of_the_last_id(encoding: str, identifier: str) -> None:
    encoded = ENCODINGS[encoding](identifier)
    assert MERCHANT_ID + encoded in merchants.spellings(MERCHANT_ID + identifier)
    assert f"/v2/customers/{encoded}/payment-methods" in (
        merchants.spellings(f"/v2/customers/{identifier}/payment-methods")
    )


@given(st.text(max_size=30))
def test_spellings_are_at_most_five(text: str) -> None:
    for path in (text, MERCHANT_ID + text, f"/v2/customers/{text}/payment-methods"):
        spellings = merchants.spellings(path)
        assert spellings[0] == path
        assert len(spellings) <= 5


def test_digest_is_accepted_for_an_id_in_each_encoding(merchant: None) -> None:
    identifier = "čevap (1)*/~x y"
    for encode in ENCODINGS.values():
        signed = sign(MERCHANT_ID + encode(identifier))
        assert merchants.authenticate(signed, MERCHANT_ID + identifier, "", b"").key_of == "org_1"


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize(("offset", "timely"), [(899, True), (-898, True), (902, False)])
def test_m4_digest_is_valid_15_minutes_before_and_after_its_timestamp(
    offset: int, *, timely: bool
) -> None:
    signed = sign("/v2/customers")
    in_milliseconds = sign("/v2/customers", timestamp=f"{AT}000")
    for sign_of in (1, -1):
        set_clock(int(AT) + sign_of * offset)
        for each in (signed, in_milliseconds):
            if timely:
                merchants.authenticate(each, "/v2/customers", "", b"")
            else:
                assert_refused(each, "/v2/customers")


@pytest.mark.usefixtures("merchant")
def test_m4_window_is_a_setting_and_0_switches_it_off(setting: Callable[[str, str], None]) -> None:
    set_clock(int(AT) + 3600)
    signed = sign("/v2/customers")
    assert_refused(signed, "/v2/customers")
    for window in ("3700", "0"):
        setting("MONRI_TIMESTAMP_WINDOW_S", window)
        assert merchants.authenticate(signed, "/v2/customers", "", b"").key_of == "org_1"


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize(
    "timestamp", ["", "x", "-1", "1.5", "1e9", "١٧٦٧٢٢٥٦٠٠", "9" * 17, "9" * 5000]
)
def test_signed_timestamp_that_is_not_a_number_is_refused(
    timestamp: str, setting: Callable[[str, str], None]
) -> None:
    setting("MONRI_TIMESTAMP_WINDOW_S", "0")
    assert_refused(sign("/v2/customers", timestamp=timestamp), "/v2/customers")


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize(
    "authorization",
    [
        *("", " ", "WP3-v2.1", f"WP3-v2.1 {TOKEN} {AT}", f"WP3-v2.1 {TOKEN} {AT} č"),
        *(f"WP3-v2.1 {TOKEN} {AT} \ud800", f"WP3-v2.1 ключ {AT} abc", "Basic abc", "Bearer"),
        *("Bearer a b", "Bearer mo_", "Bearer mo_k1.a.b", f"WP3-v2 {TOKEN} {AT} abc", TOKEN),
    ],
)
def test_invalid_credentials_are_refused_with_the_same_message(authorization: str) -> None:
    assert_refused(authorization, "/v2/customers")
    assert_refused(authorization, "/v2/customers/\ud800")


@pytest.mark.usefixtures("merchant")
def test_digest_of_an_unknown_merchant_with_an_empty_key_is_refused() -> None:
    unknown = TOKEN.replace("c0ffee", "decaff")
    digest = merchants.digest_of("", AT, unknown, "/v2/customers", b"")
    assert_refused(f"WP3-v2.1 {unknown} {AT} {digest}", "/v2/customers")


@pytest.mark.usefixtures("merchant")
def test_two_keys_of_a_merchant_are_valid_until_one_is_revoked() -> None:
    newer = put_credential("merchant", "newer-token", "newer-key")
    digest = merchants.digest_of("newer-key", AT, "newer-token", "/v2/customers", b"")
    signed = f"WP3-v2.1 newer-token {AT} {digest}"
    for each in (signed, sign("/v2/customers")):
        assert merchants.authenticate(each, "/v2/customers", "", b"").key_of == "org_1"
    credential_items.revoke("org_1", newer.id, clock.now())
    assert_refused(signed, "/v2/customers")
    merchants.authenticate(sign("/v2/customers"), "/v2/customers", "", b"")


def bearer(*scopes: str) -> str:
    return f"Bearer {merchants.issue_token(TOKEN, KEY, scopes).token}"


@pytest.mark.usefixtures("merchant")
def test_bearer_token_is_one_word_and_valid_for_900_seconds() -> None:
    issued = merchants.issue_token(TOKEN, KEY, [])
    assert issued.life_s == 900
    assert issued.token.startswith("mo_")
    assert set(issued.token) <= set("._-") | {chr(n) for n in range(128) if chr(n).isalnum()}
    for authorization in (f"Bearer {issued.token}", f"bearer   {issued.token}"):
        caller = merchants.authenticate(authorization, "/v2/customers", "", b"")
        assert (caller.key_of, caller.scopes) == ("org_1", None)
    set_clock(int(AT) + 890)
    merchants.authenticate(f"Bearer {issued.token}", "/v2/customers", "", b"")
    set_clock(int(AT) + 902)
    assert_refused(f"Bearer {issued.token}", "/v2/customers")


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize(
    ("client_id", "client_secret"),
    [(TOKEN, KEY + "x"), (TOKEN, ""), (TOKEN + "x", KEY), ("", ""), ("č", KEY), (KEY, TOKEN)],
)
def test_issue_token_refuses_a_wrong_pair(client_id: str, client_secret: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        merchants.issue_token(client_id, client_secret, [])
    assert (refused.value.code, str(refused.value)) == (
        "client_invalid",
        "Invalid client credentials",
    )


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize(
    ("asked", "customers", "methods"),
    [
        ([], True, True),
        (["customers"], True, True),
        (["payment-methods"], False, True),
        (["customers", "payment-methods"], True, True),
        (["payments"], False, False),
        (["x" * 100_000, "customers"], True, True),
    ],
)
def test_m5_scopes_limit_a_token_and_unknown_ones_grant_nothing(
    asked: list[str], *, customers: bool, methods: bool
) -> None:
    authorization = bearer(*asked)
    assert len(authorization) < 300
    caller = merchants.authenticate(authorization, "/v2/customers", "", b"")
    calls = [(("customers",), customers), (("customers", "payment-methods"), methods)]
    for one_of, granted in calls:
        if granted:
            merchants.check_scope(caller, *one_of)
            continue
        with pytest.raises(Forbidden) as refused:
            merchants.check_scope(caller, *one_of)
        assert (refused.value.status, str(refused.value)) == (403, "Scope customers is required")


def test_digest_has_every_scope() -> None:
    merchants.check_scope(Caller(key_of="org_1"), "customers")


@pytest.mark.usefixtures("merchant")
def test_bearer_token_is_refused_after_its_merchant_was_revoked() -> None:
    merchant = put_credential("merchant", "newer-token", "newer-key")
    issued = merchants.issue_token("newer-token", "newer-key", [])
    authorization = f"Bearer {issued.token}"
    merchants.authenticate(authorization, "/v2/customers", "", b"")
    credential_items.revoke("org_1", merchant.id, clock.now())
    assert_refused(authorization, "/v2/customers")
    with pytest.raises(NotAuthenticated):
        merchants.issue_token("newer-token", "newer-key", [])


@pytest.mark.usefixtures("merchant")
def test_token_of_the_other_api_is_refused() -> None:
    put_credential("oauth_client", TOKEN, KEY)
    pair = base64.b64encode(f"{TOKEN}:{KEY}".encode()).decode()
    theirs = oauth_clients.issue_token(f"Basic {pair}").token
    assert_refused(f"Bearer {theirs}", "/v2/customers")
    assert_refused(f"Bearer mo_{theirs.removeprefix('alt_')}", "/v2/customers")


@given(st.text(max_size=80) | st.builds("{} {} {} {}".format, *[st.text(max_size=20)] * 4))
def test_any_text_in_the_header_is_refused_without_another_error(authorization: str) -> None:
    for each in (authorization, f"WP3-v2.1 {authorization}", f"Bearer mo_{authorization}"):
        assert_refused(each, f"{MERCHANT_ID}{authorization}", authorization)
