"""The checked parameters of one request, with a reader for each type."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.stripe.errors import invalid, refused
from local.stripe.forms import Value

KEYS, KEY_LENGTH, VALUE_LENGTH = 50, 40, 500
"""Source: Stripe API reference, "Metadata"."""


@dataclass(frozen=True)
class Params:
    """The value `""` means "clear this field": `text` returns None for it, and `has` True."""

    values: Mapping[str, Value]

    def has(self, name: str) -> bool:
        """Whether the parameter was sent."""
        return name in self.values

    def text(self, name: str) -> str | None:
        """A text, or None if it was not sent or is empty."""
        value = self.values.get(name)
        return str(value) if value not in (None, "") else None

    def integer(self, name: str) -> int | None:
        """A whole number, or None if it was not sent."""
        value = self.values.get(name)
        return value if isinstance(value, int) else None

    def flag(self, name: str) -> bool:
        """A boolean. The words of `off_session` (one_off, recurring) are True too."""
        return self.values.get(name) not in (None, False, "")

    def table(self, name: str) -> dict[str, Value]:
        """An object, or {} if it was not sent."""
        value = self.values.get(name)
        return value if isinstance(value, dict) else {}

    def texts(self, name: str) -> list[str]:
        """A list of texts, or [] if it was not sent."""
        value = self.values.get(name)
        return [str(each) for each in value] if isinstance(value, list) else []

    def merged_metadata(self, stored: dict[str, str]) -> dict[str, str]:
        """Return `stored` with the sent keys added or replaced.

        The value `""` removes a key; `""` in place of all metadata removes every key.
        Raises StripeError above the limits of Stripe.
        """
        if self.values.get("metadata") == "":
            return {}
        sent = {key: str(value) for key, value in self.table("metadata").items()}
        for key, value in sent.items():
            _check_metadata(key, value)
        merged = {key: value for key, value in (stored | sent).items() if value != ""}
        if len(merged) > KEYS:
            raise refused(
                f"Metadata can have up to {KEYS} keys, this would be {len(merged)}.", "metadata"
            )
        return merged


def _check_metadata(key: str, value: str) -> None:
    if len(key) > KEY_LENGTH:
        raise invalid(
            f"Metadata keys can have up to {KEY_LENGTH} characters, but you passed in a key that "
            f"is {len(key)} characters. Invalid key: {key}",
            "metadata",
        )
    if len(value) > VALUE_LENGTH:
        raise invalid(
            f"Metadata values can have up to {VALUE_LENGTH} characters, but you passed in a value "
            f"that is {len(value)} characters. Invalid value: {value[:40]}…",
            f"metadata[{key}]",
        )
