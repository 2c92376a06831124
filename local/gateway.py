"""API Gateway's HTTP API on one machine: the template's routes, payload 2.0, its limits, its CORS.

`Gateway.call` needs no socket, so tests use the same code as `make start`.
Source: docs/deployment.md, section 3 ("What HTTP API does, and the gateway imitates").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from local.event import Answer, BadAnswer, Pairs, Request, answer_from, event_for, message
from local.functions import FunctionFailed, Functions, FunctionTimedOut
from local.template import Cors, Route, Template

BODY_LIMIT = 10 * 1024 * 1024
LAMBDA_LIMIT = 6 * 1024 * 1024
HEAD_LIMIT = 10_240  # request line and headers together
INTEGRATION_LIMIT_S = 30


@dataclass(frozen=True)
class Match:
    """The function and the route of a request, with the values of the route's variables."""

    function: str
    route_key: str
    parameters: dict[str, str]


class Gateway:
    """Routes requests to the functions of a template."""

    def __init__(self, template: Template, functions: Functions | None = None) -> None:
        self.functions = functions or Functions(template.functions)
        self._cors = template.cors
        self._timeouts = {name: each.timeout_s for name, each in template.functions.items()}
        self._routes = sorted(
            (
                (route, name)
                for name, function in template.functions.items()
                for route in function.routes
                if route.path != "$default"
            ),
            key=lambda pair: _rank(pair[0]),
        )
        self._default = next(
            (
                name
                for name, function in template.functions.items()
                if any(route.path == "$default" for route in function.routes)
            ),
            None,
        )

    def call(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | str = b"",
        source_ip: str = "127.0.0.1",
    ) -> Answer:
        """Answer a request as API Gateway would. `target` is percent-encoded, as it is sent."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        content = body.encode() if isinstance(body, str) else body
        return self.handle(Request(method, target, pairs, content, source_ip))

    def handle(self, request: Request) -> Answer:
        """Answer a request as API Gateway would. Never raises."""
        if self._cors and request.method == "OPTIONS":
            answer = Answer(204, _preflight(self._cors, request.header("origin")))
        elif _size_of_head(request) > HEAD_LIMIT:
            answer = message(431, "Request Header Fields Too Large")
        elif len(request.body) > BODY_LIMIT:
            answer = message(413, "Request Entity Too Large")
        else:
            answer = self._integrate(request)
        if self._cors and request.method != "OPTIONS":
            answer = _with_cors(answer, self._cors, request.header("origin"))
        return replace(answer, headers=[*answer.headers, ("apigw-requestid", request.id)])

    def match(self, method: str, path: str) -> Match | None:
        """The route of a request: literal before {variable} before {greedy+} before $default."""
        segments = path.split("/")
        for route, name in self._routes:
            if route.method in (method, "ANY"):
                parameters = _parameters(route.path.split("/"), segments)
                if parameters is not None:
                    return Match(name, f"{route.method} {route.path}", parameters)
        return Match(self._default, "$default", {}) if self._default else None

    def _integrate(self, request: Request) -> Answer:
        match = self.match(request.method, request.path)
        if match is None:
            return message(404, "Not Found")
        event = event_for(request, match.route_key, match.parameters)
        if len(event.get("body", "")) > LAMBDA_LIMIT:
            return message(413, "Request Entity Too Large")
        try:
            return answer_from(self.functions.invoke(match.function, event, INTEGRATION_LIMIT_S))
        except FunctionTimedOut:
            if self._timeouts[match.function] > INTEGRATION_LIMIT_S:
                return message(503, "Service Unavailable")
            return message(500, "Internal Server Error")
        except (FunctionFailed, BadAnswer):
            return message(500, "Internal Server Error")


def _rank(route: Route) -> tuple[list[int], bool]:
    """The sort key of a route: per segment literal, {var}, {var+}; then a method before ANY."""
    kinds = [2 if "+}" in s else 1 if s[:1] == "{" else 0 for s in route.path.split("/")]
    return kinds, route.method == "ANY"


def _parameters(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    """The values of a route's variables. None if the path does not match. No value is empty."""
    found: dict[str, str] = {}
    for position, part in enumerate(pattern):
        if part.endswith("+}"):
            rest = "/".join(segments[position:])
            return found | {part[1:-2]: rest} if rest else None
        if position >= len(segments):
            return None
        if part.startswith("{"):
            if not segments[position]:
                return None
            found[part[1:-1]] = segments[position]
        elif part != segments[position]:
            return None
    return found if len(pattern) == len(segments) else None


def _size_of_head(request: Request) -> int:
    line = len(request.method) + len(request.target) + len("  HTTP/1.1\r\n")
    return line + sum(len(name) + len(value) + 4 for name, value in request.headers)


def _allows(cors: Cors, origin: str | None) -> bool:
    if origin is None:
        return False
    wild = ("*", origin.partition("://")[0] + "://*")
    return any(allowed in (origin, *wild) for allowed in cors.origins)


def _preflight(cors: Cors, origin: str | None) -> Pairs:
    """The headers of the answer to OPTIONS. None at all for an origin that is not configured."""
    if not _allows(cors, origin):
        return []
    headers = [("access-control-allow-origin", str(origin))]
    if cors.methods:
        headers.append(("access-control-allow-methods", ",".join(cors.methods)))
    if cors.headers:
        headers.append(("access-control-allow-headers", ",".join(cors.headers).lower()))
    if cors.credentials:
        headers.append(("access-control-allow-credentials", "true"))
    if cors.max_age_s is not None:
        headers.append(("access-control-max-age", str(cors.max_age_s)))
    return headers


def _with_cors(answer: Answer, cors: Cors, origin: str | None) -> Answer:
    """The answer with the configured CORS headers instead of the function's own."""
    headers = [
        (name, value)
        for name, value in answer.headers
        if not name.lower().startswith("access-control-")
    ]
    if _allows(cors, origin):
        headers.append(("access-control-allow-origin", str(origin)))
        if cors.credentials:
            headers.append(("access-control-allow-credentials", "true"))
        if cors.exposed:
            headers.append(("access-control-expose-headers", ",".join(cors.exposed).lower()))
    return replace(answer, headers=headers)
