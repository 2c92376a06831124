"""Events in, answers out. Source: contracts/bridge.md, section 1, B2, B3, B5 and B17."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import BaseModel

from bridge import clock, inbound
from bridge.api_adapters import native
from bridge.errors import Conflict, Detail, InvalidRequest
from bridge.inbound import Request, Response

Event = dict[str, Any]


class Context:
    """Lambda's, in short."""

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


def test_b3_a_lone_surrogate_in_the_events_text_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        _ = request_of('{"a":"\ud800"}').json
    assert refused.value.code == "invalid_json"


class Inner(BaseModel, strict=True):
    cents: int


class Shape(BaseModel, strict=True):
    name: str = "untold"
    inner: Inner | None = None


def test_b2_null_means_not_given_and_unknown_fields_are_ignored() -> None:
    shape = request_of('{"name":null,"inner":{"cents":5,"more":1},"else":[]}').parse(Shape)
    assert shape == Shape(inner=Inner(cents=5))
    assert shape.model_fields_set == {"inner"}


def test_b5_every_field_at_fault_is_named_and_no_value() -> None:
    with pytest.raises(InvalidRequest) as refused:
        request_of('{"name":4242424242424242,"inner":{"cents":"secret"}}').parse(Shape)
    assert [each.field for each in refused.value.details] == ["name", "inner.cents"]
    told = f"{refused.value} {refused.value.details}"
    assert "4242" not in told
    assert "secret" not in told
    with pytest.raises(InvalidRequest) as refused:
        request_of('{"inner":{"cents":null}}').parse(Shape)
    assert refused.value.details == [Detail("inner.cents", "is required")]


@pytest.mark.parametrize("body", ["", "  \n", "{}"])
def test_b3_an_empty_body_stands_for_an_empty_object_where_that_is_allowed(body: str) -> None:
    assert request_of(body).parse_optional(Shape) == Shape()


@given(st.binary(max_size=40))
def test_a_body_is_read_plain_or_in_base64(body: bytes) -> None:
    event = event_of(base64.b64encode(body).decode()) | {"isBase64Encoded": True}
    assert Request.from_event(event, Context()).body == body


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_plain_body_is_utf_8(body: str) -> None:
    assert request_of(body).body == body.encode()


def test_an_event_becomes_a_request() -> None:
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


def test_what_an_event_may_leave_out_is_empty() -> None:
    event = event_of() | {"pathParameters": None, "body": None}
    for name in ("rawQueryString", "isBase64Encoded", "headers"):
        del event[name]
    request = Request.from_event(event, object())
    assert (request.body, request.query, request.path_parameters) == (b"", {}, {})
    assert request.ends_at - clock.now() <= timedelta(milliseconds=inbound.DEFAULT_RUN_MS)


def test_a_query_parameter_that_is_given_twice_is_named() -> None:
    with pytest.raises(InvalidRequest) as refused:
        _ = request_of(query="b=1&a=1&a=2&b=1&c=3").query
    assert [each.field for each in refused.value.details] == ["a", "b"]
    assert request_of(query="a=%ff").query == {"a": "\ufffd"}


def test_the_viewer_is_believed_only_behind_a_proxy(setting: Callable[[str, str], None]) -> None:
    def ip() -> str:
        return request_of(CloudFront_Viewer_Address="2001:db8::1:443").source_ip

    assert ip() == "198.51.100.7"
    setting("TRUST_PROXY", "1")
    assert ip() == "2001:db8::1"
    assert request_of().source_ip == "198.51.100.7"


@pytest.mark.parametrize("key", ["", "a b", "é", "k" * 256, "a\x7f"])
def test_b17_a_key_has_1_to_255_visible_characters(key: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        _ = request_of(Idempotency_Key=key).run
    assert [each.field for each in refused.value.details] == ["Idempotency-Key"]


def test_b17_a_request_is_known_by_method_path_and_canonical_json() -> None:
    def fingerprint(body: str, path: str = "/x") -> str:
        known = request_of(body, path=path, Idempotency_Key="k" * 255).run.client_key
        assert known
        return known.fingerprint

    assert fingerprint('{"a":1,"b":{"c":2,"d":3}}') == fingerprint('{ "b":{"d":3,"c":2}, "a":1 }')
    assert fingerprint("") == fingerprint("{}")
    others = ['{"a":1}', '{"a":"1"}', '{"a":1.0}', '{"a":true}', '{"a":[1]}', "{}"]
    assert len({fingerprint(body) for body in others}) == len(others)
    assert fingerprint("{}") != fingerprint("{}", path="/y")


def test_b17_only_a_post_has_a_key() -> None:
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
def test_a_path_is_cleaned_of_doubled_and_trailing_slashes(path: str, clean: str | None) -> None:
    assert inbound.clean_path(path) == clean


def test_an_answer_is_compact_json_in_utf_8() -> None:
    answer = inbound.respond(201, {"a": "é", "b": [1, None]})
    assert answer == {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json"},
        "body": '{"a":"é","b":[1,null]}',
    }


def test_a_204_has_neither_body_nor_content_type() -> None:
    bare = {"statusCode": 204, "headers": {}}
    assert inbound.respond(204, None) == bare
    assert inbound.respond(200, Response(None, 204, {"A": "b"})) == bare | {"headers": {"A": "b"}}


def test_an_answer_brings_its_own_status_and_headers() -> None:
    given_headers = {"Retry-After": "5"}
    answer = inbound.respond(200, Response([], 202, given_headers))
    assert answer["statusCode"] == 202
    assert answer["headers"] == {"Content-Type": "application/json", "Retry-After": "5"}
    assert given_headers == {"Retry-After": "5"}


@pytest.mark.parametrize("wanted", ["a", "A-1_b.c", "x" * 128])
def test_a_request_id_that_is_fit_for_a_log_is_echoed(wanted: str) -> None:
    assert inbound.request_id(event_of(X_REQUEST_ID=wanted)) == wanted


@pytest.mark.parametrize("wanted", ["", "a b", "a\n", 'a"b', "x" * 129, "é"])
def test_any_other_request_id_is_the_gateways(wanted: str) -> None:
    assert inbound.request_id(event_of(X_Request_ID=wanted)) == "gateway-1"
    assert inbound.request_id({"headers": None}) != inbound.request_id({})


def public(act: Callable[[Request], object]) -> Event:
    return inbound.public(inbound.render_plain_error)(act)(event_of("{}"), Context())


def test_an_error_becomes_its_status_and_headers() -> None:
    def act(request: Request) -> object:
        error = Conflict("busy", code="payment_in_progress", retry_after=7)
        error.replayed = True
        raise error

    answer = public(act)
    assert answer["statusCode"] == 409
    wanted = {"Retry-After": "7", "Idempotent-Replayed": "true", "X-Request-ID": "gateway-1"}
    assert wanted.items() <= answer["headers"].items()
    told = json.loads(answer["body"])
    assert told == {
        "error": "busy",
        "code": "payment_in_progress",
        "request_id": "gateway-1",
    }


def test_b5_our_own_bug_is_a_500_without_a_detail() -> None:
    def act(request: Request) -> object:
        raise ValueError("sk_live_secret")

    answer = public(act)
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["code"] == "internal_error"
    assert "secret" not in str(answer)


def test_b3_a_body_over_256_kib_is_a_413() -> None:
    handler = inbound.endpoint(native, guests=True)(lambda request: len(request.body))
    for size, status in ((256 * 1024, 200), (256 * 1024 + 1, 413)):
        answer = handler(event_of("x" * size), Context())
        assert answer["statusCode"] == status
    assert json.loads(answer["body"])["code"] == "body_too_large"


@pytest.mark.parametrize(("guests", "status"), [(False, 401), (True, 201)])
def test_b8_nobody_gets_in_only_where_guests_may(status: int, *, guests: bool) -> None:
    handler = inbound.endpoint(native, status=201, guests=guests)(lambda _: {})
    assert handler(event_of("{}"), Context())["statusCode"] == status


def test_a_body_is_limited_also_where_nobody_asks_for_credentials() -> None:
    handler = inbound.public(inbound.render_plain_error, body_limit=4)(lambda _: {})
    assert handler(event_of("four"), Context())["statusCode"] == 200
    assert handler(event_of("fiver"), Context())["statusCode"] == 413
