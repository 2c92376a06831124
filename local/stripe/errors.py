"""Stripe's error bodies. Source: Stripe API reference, "Errors" and "Error codes"."""

from collections.abc import Mapping


class StripeError(Exception):
    """An error answer. `stored`: whether the idempotency memory keeps it.

    Stripe keeps what an endpoint decided, and forgets what never reached one: a refused key,
    a parameter that failed validation, a conflict (Stripe API reference, "Idempotent requests").
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        stored: bool = True,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.stored = status, code, stored
        self._fields = {"code": code, "message": message, "param": param, "type": kind}
        self._more = dict(more or {})

    def body(self) -> dict[str, object]:
        error = {key: value for key, value in self._fields.items() if value is not None}
        if self.code:
            slug = self.code.replace("_", "-")
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{slug}"
        return {"error": error | self._more}


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """A parameter that fails validation: no endpoint ran, so no key remembers it."""
    return StripeError(400, message, code=code, param=param, stored=False)


def refused(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """A request that is well formed, and that the endpoint itself turned down."""
    return StripeError(400, message, code=code, param=param)


def empty(param: str) -> StripeError:
    message = (
        f"You passed an empty string for '{param}'. We assume empty values are an attempt to "
        f"unset a field; however '{param}' cannot be unset. You should remove '{param}' from "
        "your request or supply a non-empty value."
    )
    return invalid(message, param, "parameter_invalid_empty")


def missing_parameter(param: str) -> StripeError:
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def unmodelled(param: str) -> StripeError:
    """Stripe takes this parameter; ignoring it silently would be a lie, so we refuse it."""
    return invalid(f"The simulator does not model the parameter: {param}", param)


def no_such(kind: str, value: str, param: str, *, status: int = 400) -> StripeError:
    """`status`: 404 where the id stands in the path, 400 where it is a parameter."""
    message = f"No such {kind}: '{value}'"
    return StripeError(status, message, code="resource_missing", param=param)


def lock_timeout() -> StripeError:
    return StripeError(
        429,
        "This object cannot be accessed right now because another API request or Stripe process "
        "is currently accessing it. If you see this error intermittently, retry the request.",
        code="lock_timeout",
        stored=False,
    )


def card_error(fields: Mapping[str, object], **more: object) -> StripeError:
    """The issuer said no: `fields` as cards.render_decline makes them."""
    message = str(fields["message"])
    return StripeError(402, message, kind="card_error", more=dict(fields) | more)
