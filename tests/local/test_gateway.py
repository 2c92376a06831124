"""The local gateway behaves like HTTP API. Source: docs/deployment.md, section 3."""

import base64
import http.client
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local import template
from local.event import Answer
from local.gateway import Gateway
from local.server import Server

TEMPLATE = """
Globals:
  Function: {Timeout: 25, MemorySize: 512}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration:
        AllowOrigins: ["https://shop.test"]
        AllowMethods: [GET, POST]
        AllowHeaders: [Content-Type, Idempotency-Key]
        ExposeHeaders: [Idempotent-Replayed]
        AllowCredentials: true
        MaxAge: 600
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: echo/
      Events:
        One: {Type: HttpApi, Properties: {Method: GET, Path: "/things/{id}"}}
        Literal: {Type: HttpApi, Properties: {Method: GET, Path: /things/special}}
        Any: {Type: HttpApi, Properties: {Method: ANY, Path: "/things/{id}"}}
        Greedy: {Type: HttpApi, Properties: {Method: GET, Path: "/things/{rest+}"}}
        Deep: {Type: HttpApi, Properties: {Method: GET, Path: "/things/{id}/parts/{part}"}}
        Post: {Type: HttpApi, Properties: {Method: POST, Path: /things}}
        Else: {Type: HttpApi}
  Answers:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: answers/
      Events: {Call: {Type: HttpApi, Properties: {Method: GET, Path: "/answers/{case}"}}}
  Slow:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: slow/
      Timeout: 1
      Events: {Call: {Type: HttpApi, Properties: {Method: GET, Path: /slow}}}
"""
HANDLERS = {
    "echo": """
def handler(event, context):
    return event
""",
    "answers": """
CASES = {
    "plain": {"statusCode": 201, "body": "made"},
    "text_status": {"statusCode": "202", "headers": {"Content-Type": "text/x"}, "body": "x"},
    "binary": {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True},
    "cookies": {"statusCode": 200, "cookies": ["a=1", "b=2; Secure"], "body": "x"},
    "numbers": {"statusCode": 200, "headers": {"X-Count": 3, "X-Done": True}},
    "empty": {"statusCode": 204},
    "list": [1, "two"],
    "text": "hello",
    "nothing": None,
    "object_body": {"statusCode": 200, "body": {"a": 1}},
    "bad_status": {"statusCode": 99},
    "split_header": {"statusCode": 200, "headers": {"X": "a\\r\\nB: c"}},
    "list_header": {"statusCode": 200, "headers": {"X": ["a"]}},
    "unserialisable": {"statusCode": 200, "body": {1, 2}},
    "own_cors": {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}, "body": "x"},
    "hop_by_hop": {"statusCode": 200, "headers": {"Content-Length": "99"}, "body": "x"},
    "huge": {"statusCode": 200, "body": "x" * 7_000_000},
}


def handler(event, context):
    case = event["pathParameters"]["case"]
    if case == "raises":
        raise ValueError("a bug")
    if case == "context":
        left = context.get_remaining_time_in_millis()
        names = (context.function_name, context.memory_limit_in_mb, context.invoked_function_arn)
        return [left, len(context.aws_request_id), *names]
    return CASES[case]
""",
    "slow": """
import time


def handler(event, context):
    time.sleep(1.5)
    return {"statusCode": 200}
""",
}


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    for name, source in HANDLERS.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "handler.py").write_text(source)
    return Gateway(template.read(tmp_path / "template.yaml"))


@pytest.fixture
def server(gateway: Gateway) -> Iterator[Server]:
    server = Server(0, gateway.handle)
    server.start()
    yield server
    server.stop()


def event_of(gateway: Gateway, method: str, target: str, **more: Any) -> dict[str, Any]:
    answer = gateway.call(method, target, **more)
    assert answer.status == 200
    return answer.json()


@pytest.mark.parametrize(
    ("method", "target", "route", "parameters"),
    [
        ("GET", "/things/special", "GET /things/special", None),
        ("GET", "/things/7", "GET /things/{id}", {"id": "7"}),
        ("PUT", "/things/7", "ANY /things/{id}", {"id": "7"}),
        ("PUT", "/things/special", "ANY /things/{id}", {"id": "special"}),
        ("GET", "/things/7/parts/8", "GET /things/{id}/parts/{part}", {"id": "7", "part": "8"}),
        ("GET", "/things/7/else", "GET /things/{rest+}", {"rest": "7/else"}),
        ("GET", "/things/a%40b%20c", "GET /things/{id}", {"id": "a@b c"}),
        ("GET", "/things/%C5%BE", "GET /things/{id}", {"id": "ž"}),
        ("GET", "/things/a+b", "GET /things/{id}", {"id": "a+b"}),
        ("GET", "/things", "$default", None),
        ("GET", "/things/", "$default", None),
        ("GET", "//things/7", "$default", None),
        ("GET", "/Things/7", "$default", None),
        ("POST", "/things/", "$default", None),
        ("DELETE", "/nowhere", "$default", None),
        ("GET", "/", "$default", None),
    ],
)
def test_most_literal_route_wins(
    gateway: Gateway, method: str, target: str, route: str, parameters: dict[str, str] | None
) -> None:
    event = event_of(gateway, method, target)
    assert event["routeKey"] == event["requestContext"]["routeKey"] == route
    assert event.get("pathParameters") == parameters
    assert event["requestContext"]["http"]["method"] == method


def test_path_is_decoded_and_cut_at_a_decoded_question_mark(gateway: Gateway) -> None:
    event = event_of(gateway, "GET", "/things/a%40b%3Fc/d?x=%41")
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/things/a@b"
    assert event["pathParameters"] == {"id": "a@b"}
    assert event["rawQueryString"] == "x=%41"


def test_path_bytes_that_are_not_utf_8_are_accepted(gateway: Gateway) -> None:
    assert event_of(gateway, "GET", "/things/%FF%zz")["rawPath"] == "/things/\ufffd%zz"


def test_raw_query_is_unchanged_and_repeated_parameters_are_joined(gateway: Gateway) -> None:
    event = event_of(gateway, "GET", "/things/7?a=1&b=%2C+x&a=2&empty=&bare")
    assert event["rawQueryString"] == "a=1&b=%2C+x&a=2&empty=&bare"
    assert event["queryStringParameters"] == {"a": "1,2", "b": ", x", "empty": "", "bare": ""}


def test_header_names_are_in_lower_case_and_repeated_headers_joined(gateway: Gateway) -> None:
    headers = [("X-One", "1"), ("x-one", "2"), ("X-Forwarded-For", "9.9.9.9"), ("Host", "h.test")]
    event = event_of(gateway, "GET", "/things/7", headers=headers, source_ip="10.0.0.7")
    assert event["headers"]["x-one"] == "1,2"
    assert event["headers"]["x-forwarded-for"] == "9.9.9.9, 10.0.0.7"
    assert event["headers"]["x-forwarded-proto"] == "https"
    assert event["requestContext"]["http"]["sourceIp"] == "10.0.0.7"
    assert event["requestContext"]["domainName"] == "h.test"


def test_cookies_are_in_a_list_of_their_own(gateway: Gateway) -> None:
    event = event_of(gateway, "GET", "/things/7", headers={"Cookie": "a=1; b=x=y"})
    assert event["cookies"] == ["a=1", "b=x=y"]
    assert "cookie" not in event["headers"]


def test_event_fields_without_a_value_are_absent(gateway: Gateway) -> None:
    event = event_of(gateway, "GET", "/")
    absent = {"body", "cookies", "queryStringParameters", "pathParameters"}
    assert absent.isdisjoint(event)
    assert event["version"] == "2.0"
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("kind", "body", "as_text"),
    [
        ("application/json", b'{"a": "\xc5\xbe"}', True),
        ("Application/JSON; charset=utf-8", b"{}", True),
        ("application/merge-patch+json", b"{}", True),
        ("text/plain", b"x", True),
        ("application/x-www-form-urlencoded", b"a=1", False),
        ("application/octet-stream", b"\x00\xff", False),
        ("application/json", b"\xff\xfe", False),
        (None, b"{}", False),
    ],
)
def test_body_is_text_or_base64_depending_on_its_type(
    gateway: Gateway, kind: str | None, body: bytes, as_text: bool
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    event = event_of(gateway, "POST", "/things", headers=headers, body=body)
    assert event["isBase64Encoded"] is not as_text
    sent = event["body"].encode() if as_text else base64.b64decode(event["body"])
    assert sent == body


@pytest.mark.parametrize(
    ("case", "status", "kind", "body"),
    [
        ("plain", 201, "text/plain;charset=UTF-8", b"made"),
        ("text_status", 202, "text/x", b"x"),
        ("binary", 200, "text/plain;charset=UTF-8", b"\x00\xff"),
        ("empty", 204, None, b""),
        ("list", 200, "application/json", b'[1, "two"]'),
        ("text", 200, "application/json", b'"hello"'),
        ("nothing", 200, "application/json", b"null"),
    ],
)
def test_function_result_becomes_an_answer(
    gateway: Gateway, case: str, status: int, kind: str | None, body: bytes
) -> None:
    answer = gateway.call("GET", f"/answers/{case}")
    assert (answer.status, answer.header("Content-Type"), answer.body) == (status, kind, body)


@pytest.mark.parametrize(
    "case",
    [
        *("raises", "object_body", "bad_status", "split_header", "list_header"),
        *("unserialisable", "huge", "unknown"),
    ],
)
def test_exception_or_bad_result_is_a_500(gateway: Gateway, case: str) -> None:
    answer = gateway.call("GET", f"/answers/{case}")
    assert answer.status == 500
    assert answer.json() == {"message": "Internal Server Error"}


def test_each_cookie_of_a_result_is_a_header(gateway: Gateway) -> None:
    answer = gateway.call("GET", "/answers/cookies")
    cookies = [value for name, value in answer.headers if name == "set-cookie"]
    assert cookies == ["a=1", "b=2; Secure"]


def test_numbers_in_headers_become_text(gateway: Gateway) -> None:
    answer = gateway.call("GET", "/answers/numbers")
    assert (answer.header("x-count"), answer.header("x-done")) == ("3", "true")


def test_context_counts_down_and_has_the_functions_name(gateway: Gateway) -> None:
    left, length, name, memory, arn = gateway.call("GET", "/answers/context").json()
    assert 24_000 < left <= 25_000
    assert (length, name, memory) == (36, "Answers", "512")
    assert arn.endswith(":function:Answers")


def test_function_after_its_timeout_is_a_500(gateway: Gateway) -> None:
    began = time.monotonic()
    assert gateway.call("GET", "/slow").status == 500
    assert time.monotonic() - began < 1.4


def test_integration_after_30_seconds_is_a_503(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.gateway.INTEGRATION_LIMIT_S", 0.2)
    answer = gateway.call("GET", "/slow")
    assert answer.status == 503
    assert answer.json() == {"message": "Service Unavailable"}


def test_request_sizes_are_limited(gateway: Gateway) -> None:
    def status(target: str = "/things", size: int = 0, headers: Any = ()) -> int:
        return gateway.call("POST", target, headers, b"x" * size).status

    text = {"Content-Type": "text/plain"}
    assert status(headers={"X": "x" * 10_000}) == 200
    assert status(headers={"X": "x" * 10_240}) == 431
    assert status(target="/things?" + "x" * 10_240) == 431
    assert status(size=5_900_000, headers=text) == 200
    assert status(size=6_300_000, headers=text) == 413
    assert status(size=4_800_000) == 413  # as base64 more than 6 MB
    assert status(size=10_500_000, headers=text) == 413


def test_preflight_gets_the_configured_cors_headers(gateway: Gateway) -> None:
    answer = gateway.call("OPTIONS", "/things", {"Origin": "https://shop.test"})
    assert answer.status == 204
    assert answer.header("access-control-allow-origin") == "https://shop.test"
    assert answer.header("access-control-allow-methods") == "GET,POST"
    assert answer.header("access-control-allow-headers") == "content-type,idempotency-key"
    assert answer.header("access-control-allow-credentials") == "true"
    assert answer.header("access-control-max-age") == "600"


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.test"}, {}])
def test_unknown_origin_gets_no_cors_headers(gateway: Gateway, headers: dict[str, str]) -> None:
    for method, target in (("OPTIONS", "/things"), ("GET", "/answers/own_cors")):
        answer = gateway.call(method, target, headers)
        assert answer.header("access-control-allow-origin") is None


def test_configured_cors_headers_replace_those_of_the_function(gateway: Gateway) -> None:
    answer = gateway.call("GET", "/answers/own_cors", {"Origin": "https://shop.test"})
    origins = [value for name, value in answer.headers if name.lower().endswith("allow-origin")]
    assert origins == ["https://shop.test"]
    assert answer.header("access-control-expose-headers") == "idempotent-replayed"


def test_gateway_errors_have_cors_headers_too(gateway: Gateway) -> None:
    answer = gateway.call("GET", "/answers/raises", {"Origin": "https://shop.test"})
    assert answer.header("access-control-allow-origin") == "https://shop.test"


def ask(server: Server, *parts: bytes) -> bytes:
    """The bytes that the server sends on a raw connection until it closes it."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_connection_stays_open_and_target_is_unchanged(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.connect()
    first, seen = connection.sock, []
    for target in ("//things//7?a=%41", "/things/%2541", "/things/7"):
        connection.request("GET", target)
        seen.append(json.load(connection.getresponse()))
        assert connection.sock is first
    assert [event["rawPath"] for event in seen] == ["//things//7", "/things/%41", "/things/7"]
    assert seen[0]["rawQueryString"] == "a=%41"


def test_chunked_body_is_read(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    kind = {"Content-Type": "text/plain"}
    connection.request("POST", "/things", iter([b"ab", b"c"]), kind, encode_chunked=True)
    assert json.load(connection.getresponse())["body"] == "abc"
    connection.request("GET", "/things/7")
    assert connection.getresponse().status == 200


def test_head_has_no_body_and_expect_100_gets_its_response(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("HEAD", "/nowhere")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    head = b"POST /things HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
    assert ask(server, head + b"2\r\n\r\n", b"ok").startswith(b"HTTP/1.1 100 Continue\r\n")
    assert ask(server, head + b"99999999\r\n\r\n").startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET\r\n\r\n",
        b"POST /things HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /things HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /things HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /things HTTP/1.1\r\nContent-Length: 5\r\n\r\nab",
        b"POST /things HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nab",
        b"POST /things HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n",
        b"POST /things HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /things HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    ],
)
def test_malformed_request_is_a_400_in_json(server: Server, head: bytes) -> None:
    answer = ask(server, head)
    assert b" 400 " in answer.split(b"\r\n")[0] or answer.startswith(b'{"message"')
    assert "message" in json.loads(answer[answer.index(b"{") :])


def test_too_large_body_gets_a_413_and_no_reset(server: Server) -> None:
    head = b"POST /things HTTP/1.1\r\nHost: h\r\nContent-Length: 12000000\r\n\r\n"
    assert ask(server, head, b"x" * 12_000_000).startswith(b"HTTP/1.1 413 ")


def test_two_hundred_concurrent_clients_all_get_an_answer(server: Server) -> None:
    def one(number: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        connection.request("GET", f"/things/{number}")
        return int(json.load(connection.getresponse())["pathParameters"]["id"])

    with ThreadPoolExecutor(200) as threads:
        assert list(threads.map(one, range(200))) == list(range(200))


def test_handlers_are_loaded_once_for_concurrent_first_calls(gateway: Gateway) -> None:
    with ThreadPoolExecutor(16) as threads:
        answers: list[Answer] = list(
            threads.map(lambda _: gateway.call("GET", "/answers/plain"), range(32))
        )
    assert {answer.status for answer in answers} == {201}
