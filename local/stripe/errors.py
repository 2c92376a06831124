"""Stripe's error bodies. Source: Stripe API reference, "Errors" and "Error codes"."""

from collections.abc import Mapping


class StripeError(Exception):
    """An error response. `stored`: whether it is kept for its idempotency key.

    Stripe keeps what an endpoint decided. It does not keep what never reached an endpoint: a
    refused API key, a parameter that failed validation, a conflict.
    Source: Stripe API reference, "Idempotent requests".
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
        """The JSON body of the response."""
        error = {key: value for key, value in self._fields.items() if value is not None}
        if self.code:
            slug = self.code.replace("_", "-")
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{slug}"
        return {"error": error | self._more}


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """A parameter failed validation. No endpoint ran, so the key does not keep the response."""
    return StripeError(400, message, code=code, param=param, stored=False)


def refused(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """The request is well formed, but the endpoint refused it."""
    return StripeError(400, message, code=code, param=param)


def empty(param: str) -> StripeError:
    """An empty text for a field that cannot be cleared."""
    message = (
        f"You passed an empty string for '{param}'. We assume empty values are an attempt to "
        f"unset a field; however '{param}' cannot be unset. You should remove '{param}' from "
        "your request or supply a non-empty value."
    )
    return invalid(message, param, "parameter_invalid_empty")


def missing_parameter(param: str) -> StripeError:
    """A required parameter was not sent."""
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def unmodelled(param: str) -> StripeError:
    """Stripe takes this parameter, but the simulator does not model it and must not ignore it."""
    return invalid(f"The simulator does not model the parameter: {param}", param)


def no_such(kind: str, value: str, param: str, *, status: int = 400) -> StripeError:
    """An unknown id. `status`: 404 if the id is in the path, 400 if it is a parameter."""
    message = f"No such {kind}: '{value}'"
    return StripeError(status, message, code="resource_missing", param=param)


def lock_timeout() -> StripeError:
    """Another request uses the object."""
    return StripeError(
        429,
        "This object cannot be accessed right now because another API request or Stripe process "
        "is currently accessing it. If you see this error intermittently, retry the request.",
        code="lock_timeout",
        stored=False,
    )


def card_error(fields: Mapping[str, object], **more: object) -> StripeError:
    """The card was declined. `fields`: from cards.render_decline."""
    message = str(fields["message"])
    return StripeError(402, message, kind="card_error", more=dict(fields) | more)
