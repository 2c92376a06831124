"""HTTP API events and responses. Source: docs/api/native.md, section 1 (B3, B5)."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from bridge import clock, inbound
from bridge.api_adapters.native import wire
from bridge.errors import Conflict, InvalidRequest
from bridge.inbound import Request, Response

Event = dict[str, Any]


class Context:
    """The part of Lambda's context that we use."""

    aws_request_id = "run-1"

    def get_remaining_time_in_millis(self) -> int:
        return 5000


def event_of(body: str = "", *, query: str = "", path: str = "/x", **headers: str) -> Event:
    return {
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {
            "http": {"method": "POST", "path": path, "sourceIp": "198.51.100.7"},
            "requestId": "gateway-1",
        },
        "body": body,
        "isBase64Encoded": False,
    }


def request_of(body: str = "", **more: str) -> Request:
    return Request.from_event(event_of(body, **more), Context())


def test_b3_lone_surrogate_in_the_event_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        _ = request_of('{"a":"\ud800"}').json
    assert refused.value.code == "invalid_json"


@given(st.binary(max_size=40))
def test_request_body_is_read_from_base64(body: bytes) -> None:
    event = event_of(base64.b64encode(body).decode()) | {"isBase64Encoded": True}
    assert Request.from_event(event, Context()).body == body


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_request_body_is_encoded_as_utf_8(body: str) -> None:
    assert request_of(body).body == body.encode()


def test_from_event_reads_all_parts_of_the_event() -> None:
    event = event_of("{}", path="/a b", query="a=1%20&b=", X_Thing="yes")
    request = Request.from_event(event | {"pathParameters": {"id": "pay_1"}}, Context())
    assert (request.method, request.path, request.route) == ("POST", "/a b", "POST /a b")
    assert request.query == {"a": "1 ", "b": ""}
    assert request.headers == {"x-thing": "yes"}
    assert request.path_parameters == {"id": "pay_1"}
    assert request.source_ip == "198.51.100.7"
    left = (request.run.ends_at - clock.now()).total_seconds()
    assert 4 < left <= 5
    assert request.run.cause == "api"


def test_from_event_accepts_missing_parts() -> None:
    event = event_of() | {"pathParameters": None, "body": None}
    for name in ("rawQueryString", "isBase64Encoded", "headers"):
        del event[name]
    request = Request.from_event(event, object())
    assert (request.body, request.query, request.path_parameters) == (b"", {}, {})
    assert request.ends_at - clock.now() <= timedelta(milliseconds=inbound.DEFAULT_RUN_MS)


def test_repeated_query_parameter_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest) as refused:
        _ = request_of(query="b=1&a=1&a=2&b=1&c=3").query
    assert [each.field for each in refused.value.details] == ["a", "b"]
    assert request_of(query="a=%ff").query == {"a": "\ufffd"}


def test_viewer_address_counts_only_behind_a_proxy(setting: Callable[[str, str], None]) -> None:
    def ip() -> str:
        return request_of(CloudFront_Viewer_Address="2001:db8::1:443").source_ip

    assert ip() == "198.51.100.7"
    setting("TRUST_PROXY", "1")
    assert ip() == "2001:db8::1"
    assert request_of().source_ip == "198.51.100.7"


@pytest.mark.parametrize("key", ["", "a b", "é", "k" * 256, "a\x7f"])
def test_b17_idempotency_key_must_have_1_to_255_visible_characters(key: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        _ = request_of(Idempotency_Key=key).run
    assert [each.field for each in refused.value.details] == ["Idempotency-Key"]


def test_b17_fingerprint_is_of_method_path_and_canonical_json() -> None:
    def fingerprint(body: str, path: str = "/x") -> str:
        known = request_of(body, path=path, Idempotency_Key="k" * 255).run.client_key
        assert known
        return known.fingerprint

    assert fingerprint('{"a":1,"b":{"c":2,"d":3}}') == fingerprint('{ "b":{"d":3,"c":2}, "a":1 }')
    assert fingerprint("") == fingerprint("{}")
    others = ['{"a":1}', '{"a":"1"}', '{"a":1.0}', '{"a":true}', '{"a":[1]}', "{}"]
    assert len({fingerprint(body) for body in others}) == len(others)
    assert fingerprint("{}") != fingerprint("{}", path="/y")


def test_b17_only_a_post_has_an_idempotency_key() -> None:
    event = event_of("{}", Idempotency_Key="k")
    event["requestContext"]["http"]["method"] = "PUT"
    assert Request.from_event(event, Context()).run.client_key is None


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("/", None),
        ("/a/b", None),
        ("/a/b/", "/a/b"),
        ("//a///b//", "/a/b"),
        ("//evil.test/", "/evil.test"),
        ("/\\evil.test/", "/%5Cevil.test"),
        ("/a b/é/", "/a%20b/%C3%A9"),
        ("/a\r\nSet-Cookie: b/", "/a%0D%0ASet-Cookie%3A%20b"),
        ("//", "/"),
        ("", "/"),
    ],
)
def test_clean_path_removes_doubled_and_trailing_slashes(path: str, clean: str | None) -> None:
    assert inbound.clean_path(path) == clean


def test_respond_writes_compact_json_in_utf_8() -> None:
    response = inbound.respond(201, {"a": "é", "b": [1, None]})
    assert response == {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json"},
        "body": '{"a":"é","b":[1,null]}',
    }


def test_respond_204_has_no_body_and_no_content_type() -> None:
    bare = {"statusCode": 204, "headers": {}}
    assert inbound.respond(204, None) == bare
    assert inbound.respond(200, Response(None, 204, {"A": "b"})) == bare | {"headers": {"A": "b"}}


def test_respond_uses_the_status_and_headers_of_a_response() -> None:
    given_headers = {"Retry-After": "5"}
    response = inbound.respond(200, Response([], 202, given_headers))
    assert response["statusCode"] == 202
    assert response["headers"] == {"Content-Type": "application/json", "Retry-After": "5"}
    assert given_headers == {"Retry-After": "5"}


@pytest.mark.parametrize("sent", ["a", "A-1_b.c", "x" * 128])
def test_request_id_that_is_safe_to_log_is_kept(sent: str) -> None:
    assert inbound.request_id(event_of(X_REQUEST_ID=sent)) == sent


@pytest.mark.parametrize("sent", ["", "a b", "a\n", 'a"b', "x" * 129, "é"])
def test_any_other_request_id_is_replaced_by_the_gateways(sent: str) -> None:
    assert inbound.request_id(event_of(X_Request_ID=sent)) == "gateway-1"
    assert inbound.request_id({"headers": None}) != inbound.request_id({})


def public(act: Callable[[Request], object]) -> Event:
    return inbound.public(inbound.render_plain_error)(act)(event_of("{}"), Context())


def test_bridge_error_becomes_its_status_and_headers() -> None:
    def act(request: Request) -> object:
        error = Conflict("busy", code="payment_in_progress", retry_after=7)
        error.replayed = True
        raise error

    response = public(act)
    assert response["statusCode"] == 409
    expected = {"Retry-After": "7", "Idempotent-Replayed": "true", "X-Request-ID": "gateway-1"}
    assert expected.items() <= response["headers"].items()
    body = json.loads(response["body"])
    assert body == {
        "error": "busy",
        "code": "payment_in_progress",
        "request_id": "gateway-1",
    }


def test_b5_unexpected_exception_is_a_500_without_details() -> None:
    def act(request: Request) -> object:
        raise ValueError("sk_live_secret")

    response = public(act)
    assert response["statusCode"] == 500
    assert json.loads(response["body"])["code"] == "internal_error"
    assert "secret" not in str(response)


def test_b3_body_over_256_kib_is_a_413() -> None:
    handler = inbound.endpoint(wire, guests=True)(lambda request: len(request.body))
    for size, status in ((256 * 1024, 200), (256 * 1024 + 1, 413)):
        response = handler(event_of("x" * size), Context())
        assert response["statusCode"] == status
    assert json.loads(response["body"])["code"] == "body_too_large"


@pytest.mark.parametrize(("guests", "status"), [(False, 401), (True, 201)])
def test_b8_request_without_credential_is_a_401_unless_guests_are_allowed(
    status: int, *, guests: bool
) -> None:
    handler = inbound.endpoint(wire, status=201, guests=guests)(lambda _: {})
    assert handler(event_of("{}"), Context())["statusCode"] == status


def test_public_endpoint_has_a_body_limit() -> None:
    handler = inbound.public(inbound.render_plain_error, body_limit=4)(lambda _: {})
    assert handler(event_of("four"), Context())["statusCode"] == 200
    assert handler(event_of("fiver"), Context())["statusCode"] == 413
