"""The WSGI application: logs requests, applies faults, calls the API or the control plane."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request as WsgiRequest, Response

from local.stripe import api, control, forms, routes
from local.stripe.account import Account
from local.stripe.errors import StripeError, lock_timeout
from local.stripe.faults import Fault
from local.stripe.idempotency import Answer
from local.stripe.log import Exchange
from local.stripe.server import drop, hang

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CANNED: dict[str, Callable[[], StripeError]] = {
    "500_before": lambda: _failure(500),
    "503": lambda: _failure(503),
    "429": lambda: StripeError(
        429, "Too many requests hit the API too quickly.", code="rate_limit", stored=False
    ),
    "401": lambda: StripeError(401, "Invalid API Key provided: sk_test****", stored=False),
    "403": lambda: StripeError(
        403, "The provided key does not have the required permissions.", stored=False
    ),
    "409": lambda: StripeError(
        409,
        "There is currently another in-progress request using this Idempotent Key.",
        code="idempotency_key_in_use",
        kind="idempotency_error",
        stored=False,
    ),
    "lock_timeout": lock_timeout,
}
"""Responses of faults that have no effect."""

BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class Application:
    """The simulator as a WSGI application."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request = WsgiRequest(environ)
        if request.path.startswith("/_sim/"):
            return control.answer(self._account, request)(environ, start_response)
        return self._serve(request)(environ, start_response)

    def _serve(self, request: WsgiRequest) -> Response:
        found = routes.find(request.method, request.path)
        operation = found[0].name if found else ""
        exchange = self._log(request, operation)
        fault = self._account.faults.take(operation, request.method, request.path)
        response = self._before(request, fault) or self._answer(request, exchange, fault)
        exchange.status = response.status_code
        return self._after(request, exchange, fault, response)

    def _log(self, request: WsgiRequest, operation: str) -> Exchange:
        body = request.get_data()
        exchange = Exchange(
            method=request.method,
            path=request.path,
            query=request.query_string.decode("latin-1"),
            headers=Headers(list(request.headers)),
            body=body,
            form=_readable(body),
            operation=operation,
            at=self._account.world.now(),
        )
        self._account.log.add(exchange)
        return exchange

    def _before(self, request: WsgiRequest, fault: Fault | None) -> Response | None:
        """Return the response of a fault that replaces the API's, or None."""
        if fault is None:
            return None
        if fault.kind == "hang_before":
            hang(request.environ, fault.seconds, self._account.stopping)
        if fault.kind in ("hang_before", "drop_before"):
            drop(request.environ)
        if fault.kind == "html_502":
            return Response(BAD_GATEWAY, status=502, mimetype="text/html")
        if fault.kind in CANNED:
            response = _response(api.refusal(CANNED[fault.kind](), api.new_request_id()), request)
            if fault.kind == "429":
                response.headers["Retry-After"] = str(fault.retry_after)
            return response
        return None

    def _answer(self, request: WsgiRequest, exchange: Exchange, fault: Fault | None) -> Response:
        def around(endpoint: Callable[[], Answer]) -> Answer:
            if fault is not None and fault.kind == "slow":
                time.sleep(fault.ms / 1000)
            if fault is not None and fault.kind == "500_stored":
                return api.refusal(_failure(500), api.new_request_id())
            answer = endpoint()
            if fault is not None and fault.kind == "500_after":
                return api.refusal(_failure(500), answer.request_id)
            return answer

        api_request = api.Request(
            exchange.method, exchange.path, exchange.query, exchange.headers, request.get_data()
        )
        account = self._account
        if fault is not None and fault.kind == "stale":
            with account.world.lock:
                world = account.world.before_newest_write(fault.lag)
                return _response(api.answer(world, account.memory, api_request, around), request)
        return _response(api.answer(account.world, account.memory, api_request, around), request)

    def _after(
        self, request: WsgiRequest, exchange: Exchange, fault: Fault | None, response: Response
    ) -> Response:
        """Lose or cut the response. The effect has already taken place."""
        kind = fault.kind if fault is not None else ""
        if fault is not None and kind == "hang_after":
            hang(request.environ, fault.seconds, self._account.stopping)
        if kind in ("hang_after", "drop_after"):
            exchange.status = None
            drop(request.environ)
        if fault is not None and kind == "truncated_body":
            whole = response.get_data()
            response.set_data(whole[: len(whole) // 2])
            if not fault.framed:
                response.headers["Content-Length"] = str(len(whole))
        return response


def _failure(status: int) -> StripeError:
    return StripeError(status, "An unknown error occurred", kind="api_error")


def _readable(body: bytes) -> dict[str, str]:
    try:
        return dict(forms.pairs(body.decode("utf-8", "replace")))
    except StripeError:
        return {}


def _response(answer: Answer, request: WsgiRequest) -> Response:
    """Build the HTTP response. A replay has the same bytes as the first response, and a new id."""
    replayed = answer.replayed
    response = Response(answer.body, status=answer.status, mimetype="application/json")
    response.headers["Request-Id"] = api.new_request_id() if replayed else answer.request_id
    response.headers["Stripe-Version"] = api.VERSION
    key = request.headers.get("Idempotency-Key")
    if key is not None and request.method == "POST" and key.isascii() and key.isprintable():
        response.headers["Idempotency-Key"] = key
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Original-Request"] = answer.request_id
    return response
