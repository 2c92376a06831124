"""Settings from the environment.

Source: docs/api/native.md, section 6; the README's table of settings.
"""

import os
from functools import cache
from typing import Literal

Table = Literal["ledger", "ephemeral", "secrets"]


def setting(name: str, default: str = "") -> str:
    """A setting. An empty one counts as missing and gives the default."""
    return os.environ.get(name, "") or default


def number(name: str, default: int) -> int:
    """A setting that is a whole number. Empty gives the default, so 0 can switch a limit off.

    Raises ValueError for any other text.
    """
    return int(setting(name, str(default)))


def listed(name: str) -> list[str]:
    """A setting that is a list, separated by commas."""
    return [part.strip() for part in setting(name).split(",") if part.strip()]


def is_live() -> bool:
    """Whether this stack is in live mode. Without the setting it is in test mode."""
    return setting("MODE", "test") == "live"


@cache
def table_name(table: Table) -> str:
    """The name that the stack gave a table."""
    return os.environ[f"{table.upper()}_TABLE"]


def provider_base_url(name: str, default: str) -> str:
    """The address of a provider, or that of a simulator if the setting `name` is set.

    Raises ValueError if it is set in live mode: real money must not go to another address.
    """
    override = setting(name)
    if override and is_live():
        raise ValueError(f"{name} must not be set when MODE is live")
    return override or default
