"""What the bodies of the payments.ai API share. Source: docs/api/payments-ai.md, section 1."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

# The configuration of all body models. Unknown fields are ignored (P2).
BODY = ConfigDict(
    strict=True, hide_input_in_errors=True, defer_build=True, alias_generator=to_camel
)


def text(most: int) -> BeforeValidator:
    """A validator for a string of at most `most` characters, or null."""

    def check(value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ValueError("must be a string")
        if len(value) > most:
            raise ValueError(f"must be at most {most} characters")
        return value

    return BeforeValidator(check)


def an_object(value: object) -> object:
    """A validator for a JSON object or null. Raises ValueError."""
    if value is not None and not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


Object = Annotated[dict[str, Any] | None, BeforeValidator(an_object)]
