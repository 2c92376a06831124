"""One API request, from its headers to its response: API key, idempotency key, form, operation.

Source: Stripe API reference, "Authentication", "Idempotent requests", "Versioning", "Errors".
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from werkzeug.datastructures import Headers

from local.stripe import expand, forms, routes
from local.stripe.errors import StripeError, invalid, unmodelled
from local.stripe.forms import schema
from local.stripe.idempotency import Answer, Memory
from local.stripe.params import Params
from local.stripe.request import Operation, StripeRequest
from local.stripe.resources.json import Json
from local.stripe.world import World, random_text

VERSION = str(schema()["version"])
FORM = "application/x-www-form-urlencoded"
UNREADABLE = (
    "Invalid request (check that your POST content type is application/x-www-form-urlencoded). "
    "If you have any questions, we can help at https://support.stripe.com/."
)


@dataclass(frozen=True)
class Request:
    """A request as it was sent. `query` is not decoded."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes


Around = Callable[[Callable[[], Answer]], Answer]
"""Runs the endpoint. A fault can wait before it or replace its response."""


def new_request_id() -> str:
    """A fresh id for a request."""
    return f"req_{random_text(14)}"


def answer(world: World, memory: Memory, request: Request, around: Around) -> Answer:
    """Return the response to a request. A refusal is a response too: StripeError is not raised."""
    request_id = new_request_id()
    try:
        account = _account(request)
        found = routes.find(request.method, request.path)
        if found is None:
            raise _unrecognized(request)
        _check_version(request)
        operation, path = found
        fields = _fields(request)

        key = request.headers.get("Idempotency-Key")

        def endpoint() -> Answer:
            return _run(world, operation, path, fields, (request_id, key))

        if request.method != "POST" or key is None:
            return around(endpoint)
        owner = (account, key)
        fingerprint = (request.method, request.path, tuple(sorted(fields)))
        remembered = memory.begin(owner, fingerprint, world.now())
        if remembered is not None:
            return replace(remembered, replayed=True)
        made = None
        try:
            made = around(endpoint)
        finally:
            memory.finish(owner, made)
        return made
    except StripeError as error:
        return refusal(error, request_id)


def refusal(error: StripeError, request_id: str) -> Answer:
    """Return the response for an error."""
    fields = {"request_log_url": f"https://dashboard.stripe.com/test/logs/{request_id}"}
    body = error.body()
    inner = body["error"]
    if isinstance(inner, dict):
        inner |= fields
    return Answer(error.status, _encode(body), request_id, error.stored)


def _account(request: Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not key:
        message = (
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
            "YOUR_SECRET_KEY')."
        )
        raise StripeError(401, message, stored=False)
    if not re.fullmatch(r"sk_test\w*", key):  # a test account: live keys are refused
        raise StripeError(401, f"Invalid API Key provided: {key[:7]}****", stored=False)
    return key


def _unrecognized(request: Request) -> StripeError:
    message = f"Unrecognized request URL ({request.method}: {request.path})."
    return StripeError(404, message, stored=False)


def _check_version(request: Request) -> None:
    """Stricter than Stripe, which uses the account's default version: our adapter pins one.

    Source: docs/providers.md, section A.1.
    """
    given = request.headers.get("Stripe-Version")
    if given != VERSION:
        raise invalid(f"Invalid Stripe API version: {given}; the simulator speaks {VERSION}")


def _fields(request: Request) -> list[tuple[str, str]]:
    if request.method == "GET":
        return forms.pairs(request.query)
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if request.body and kind != FORM:
        raise invalid(UNREADABLE)
    try:
        text = request.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise invalid(UNREADABLE) from error
    return forms.pairs(request.query) + forms.pairs(text)


def _run(
    world: World,
    operation: Operation,
    path: dict[str, str],
    fields: list[tuple[str, str]],
    cause: tuple[str, str | None],
) -> Answer:
    request_id = cause[0]
    try:
        tree = forms.tree(fields)
        params = Params(forms.check(schema()["forms"][operation.url], tree))
        for name in params.values:
            if name not in operation.modelled:
                raise unmodelled(name)
        expand.check(schema()["answers"][operation.url], params.texts("expand"))
        with world.lock:
            world.catch_up()
            if operation.writes:
                world.begin_write(_payment(path, params))
            with world.caused_by(*cause):
                body = operation.run(StripeRequest(world, params, path))
            return Answer(
                200, _encode(expand.apply(world, body, params.texts("expand"))), request_id
            )
    except StripeError as error:
        return refusal(error, request_id)


def _payment(path: dict[str, str], params: Params) -> str | None:
    """Return the id of the intent or the charge that a request names."""
    return path.get("intent") or params.text("payment_intent") or params.text("charge")


def _encode(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
