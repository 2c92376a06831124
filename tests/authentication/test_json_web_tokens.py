"""Sessions as JSON Web Tokens, with a server that publishes keys.

Source: docs/api/native.md, section 2 (B7, mode `jwt`).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from bridge import clock
from bridge.authentication import sessions
from bridge.errors import AuthUnavailable, NotAuthenticated
from bridge.models.caller import Caller, PrefetchIds
from tests.conftest import Environment
from tests.functions.conftest import Api

pytestmark = pytest.mark.usefixtures("tables")
ISSUER, AUDIENCE = "https://id.example.com/", "bridge-payments"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"}, private=True)
ROTATED = RSAKey.generate_key(2048, {"kid": "rsa-2", "use": "sig"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"}, private=True)
EC_384 = ECKey.generate_key("P-384", {"kid": "ec-384"}, private=True)
FORGED = RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True)
Key = RSAKey | ECKey | OctKey


class Provider:
    """An identity provider over HTTP: its keys, its response, and how often it was asked."""

    def __init__(self) -> None:
        self.keys: list[Key] = [RSA, EC]
        self.status, self.body, self.asked = 200, b"", 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                published = [key.as_dict(private=False) for key in provider.keys]
                body = provider.body or json.dumps({"keys": published}).encode()
                self.send_response(provider.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/.well-known/jwks.json"


@pytest.fixture
def provider(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A provider at an address of its own, to which the settings refer."""
    made = Provider()
    thread = Thread(target=made.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("SESSION_MODE", "jwt")
    monkeypatch.setenv("JWKS_URL", made.url)
    monkeypatch.setenv("JWT_ISSUER", ISSUER)
    monkeypatch.setenv("JWT_AUDIENCE", AUDIENCE)
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def claims(**more: object) -> dict[str, Any]:
    known = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user_1", "exp": clock.seconds() + 600}
    return {name: value for name, value in (known | more).items() if value is not None}


def signed(key: Key = RSA, *, alg: str = "RS256", kid: str | None = None, **more: object) -> str:
    header = {"alg": alg, "kid": kid or key.kid}
    return jwt.encode(header, claims(**more), key, algorithms=[alg])


def raw(header: Mapping[str, object], signature: bytes = b"") -> str:
    """A token made without a library, because a library refuses to make it."""
    parts = [json.dumps(header).encode(), json.dumps(claims()).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def ask(token: str) -> Caller:
    return sessions.authenticate(token, PrefetchIds(), ip="192.0.2.1", user_agent="curl/8")


def assert_refused(token: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        ask(token)
    assert (refused.value.status, refused.value.code) == (401, "session_invalid")


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (EC, "ES256")])
def test_b7_valid_token_returns_its_user(provider: Provider, key: Key, alg: str) -> None:
    details: dict[str, Any] = {
        "email": "jane@example.com",
        "name": "Jane Doe",
        "phone_number": "+12345",
        "organizations": {"org_1": "billing"},
        "aud": ["another", AUDIENCE],
        "unknown": [1, 2],
    }
    caller = ask(signed(key, alg=alg, **details))
    assert (caller.user_id, caller.kind) == ("user_1", "user")
    assert (caller.email, caller.name, caller.phone) == ("jane@example.com", "Jane Doe", "+12345")
    assert caller.organizations == {"org_1": "billing"}
    assert ask(signed(key, alg=alg)) == Caller(user_id="user_1")


def test_b9_memberships_may_be_a_map_or_a_list(provider: Provider) -> None:
    listed = [{"id": "org_1", "role": "admin", "name": "One"}]
    assert ask(signed(organizations=listed)).organizations == {"org_1": "admin"}
    assert ask(signed(organizations=[])).organizations == {}


def test_b7_token_opens_the_native_api_until_it_expires(
    provider: Provider, environment: Environment
) -> None:
    caller = Api(environment.gateway, {"authorization": f"Bearer {signed()}"})
    assert caller.get("/payments").status == 200
    expired = Api(
        environment.gateway, {"authorization": f"Bearer {signed(exp=clock.seconds() - 60)}"}
    )
    reply = expired.get("/payments")
    assert (reply.status, reply.code) == (401, "session_invalid")


def test_b7_expired_token_is_refused_after_30_seconds_of_leeway(provider: Provider) -> None:
    token = signed(exp=clock.seconds() + 100, nbf=clock.seconds() + 20)
    ask(token)
    clock.set_offset(125)
    ask(token)
    clock.set_offset(132)
    assert_refused(token)


def test_b7_token_before_its_nbf_is_refused(provider: Provider) -> None:
    token = signed(nbf=clock.seconds() + 100)
    assert_refused(token)
    clock.set_offset(75)
    ask(token)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"aud": "another"}, {"aud": ["another"]}, {"aud": []}, {"aud": None}, {"aud": 5}),
        *({"iss": "https://evil.example.com/"}, {"iss": None}, {"iss": [ISSUER]}),
        *({"sub": None}, {"sub": ""}, {"sub": 5}, {"exp": None}, {"exp": "tomorrow"}),
        *({"exp": 1e300}, {"exp": True}, {"nbf": "x"}, {"iat": 10**11}),
        *({"organizations": {"org_1": "boss"}}, {"organizations": ["org_1"]}),
        *({"organizations": "org_1"}, {"email": {"a": 1}}),
    ],
)
def test_b7_token_with_wrong_claims_is_refused(provider: Provider, wrong: Any) -> None:
    assert_refused(signed(**wrong))


def test_b7_token_signed_by_another_key_is_refused(provider: Provider) -> None:
    assert_refused(signed(FORGED))
    assert_refused(signed(RSA)[:-5] + "AAAAA")
    assert_refused(signed(EC, alg="ES256", kid="rsa-1"))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_b7_unsigned_token_is_refused(provider: Provider, alg: str) -> None:
    assert_refused(raw({"alg": alg, "kid": "rsa-1"}))
    assert_refused(raw({"alg": alg}))
    assert_refused(raw({"kid": "rsa-1"}))


def test_b7_public_key_as_hmac_secret_is_refused(provider: Provider) -> None:
    """The token is signed with HS256 and the text of the RSA key, which is public."""
    for form in (RSA.as_pem(private=False), json.dumps(RSA.as_dict(private=False)).encode()):
        header = {"alg": "HS256", "kid": "rsa-1"}
        unsigned = raw(header).rpartition(".")[0]
        digest = hmac.new(form, unsigned.encode(), hashlib.sha256).digest()
        assert_refused(raw(header, digest))


@pytest.mark.parametrize("alg", ["RS384", "PS256", "HS256", "ES384"])
def test_b7_other_algorithms_are_refused_even_with_a_published_key(
    provider: Provider, alg: str
) -> None:
    shared = OctKey.generate_key(256, {"kid": "oct-1"}, private=True)
    keys: dict[str, Key] = {"HS256": shared, "ES384": EC_384}
    key = keys.get(alg, RSA)
    provider.keys = [RSA, EC_384]
    provider.body = json.dumps(
        {"keys": [*(each.as_dict(private=False) for each in provider.keys), shared.as_dict()]}
    ).encode()
    assert_refused(signed(key, alg=alg))


def test_b7_key_inside_the_token_is_ignored(provider: Provider) -> None:
    for header in (
        {"jwk": FORGED.as_dict(private=False)},
        {"jku": "https://evil.example.com/jwks.json"},
    ):
        with_key = {"alg": "RS256", "kid": "rsa-1", **header}
        assert_refused(jwt.encode(with_key, claims(), FORGED, algorithms=["RS256"]))
    assert provider.asked == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=80)
    | st.sampled_from(["", ".", "..", "a.b.c", "....", "a.b.c.d.e", "\ud800.a.b"])
    | st.builds(raw, st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64"]), st.none()))
    | st.builds(lambda kid: raw({"alg": "RS256", "kid": kid}), st.none() | st.integers())
)
def test_b7_text_that_is_not_a_token_is_refused(provider: Provider, token: str) -> None:
    assert_refused(token)


def test_b7_keys_are_fetched_once_an_hour(provider: Provider) -> None:
    for _ in range(3):
        ask(signed())
    assert provider.asked == 1
    clock.set_offset(3590)
    ask(signed())
    assert provider.asked == 1
    provider.keys = [EC]
    clock.set_offset(3605)
    assert_refused(signed())
    assert provider.asked == 2
    ask(signed(EC, alg="ES256"))


def test_b7_rotated_key_is_fetched_and_the_old_one_stays_valid(provider: Provider) -> None:
    old = signed()
    ask(old)
    provider.keys = [ROTATED, RSA]
    clock.set_offset(61)
    assert ask(signed(ROTATED)).user_id == "user_1"
    assert provider.asked == 2
    ask(old)
    assert provider.asked == 2


def test_b7_unknown_key_id_is_fetched_at_most_once_a_minute(provider: Provider) -> None:
    ask(signed())
    stray = signed(kid="nobody's")
    for _ in range(5):
        assert_refused(stray)
    assert provider.asked == 1
    clock.set_offset(61)
    for _ in range(5):
        assert_refused(stray)
    assert provider.asked == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((500, b"{}"), (404, b"{}"), (200, b"<html>")),
        *((200, b"[]"), (200, b"{}"), (200, b'{"keys": 5}')),
    ],
)
def test_b7_failing_key_server_is_a_503_and_not_a_401(
    provider: Provider, status: int, body: bytes
) -> None:
    provider.status, provider.body = status, body
    with pytest.raises(AuthUnavailable) as failed:
        ask(signed())
    assert (failed.value.status, failed.value.code) == (503, "auth_unavailable")
    provider.status, provider.body = 200, b""
    assert ask(signed()).user_id == "user_1"


def test_b7_known_keys_stay_valid_for_an_hour_while_the_server_fails(provider: Provider) -> None:
    ask(signed())
    provider.status = 500
    clock.set_offset(3500)
    ask(signed())
    with pytest.raises(AuthUnavailable):
        ask(signed(ROTATED))
    clock.set_offset(3605)
    with pytest.raises(AuthUnavailable):
        ask(signed())


@pytest.mark.parametrize("missing", ["JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"])
def test_b7_missing_setting_raises_auth_unavailable(
    provider: Provider, missing: str, setting: Callable[[str, str], None]
) -> None:
    token = signed()
    setting(missing, "")
    with pytest.raises(AuthUnavailable):
        ask(token)
    assert provider.asked == 0
