"""Settings from the environment, and the one reader of SSM.

Names: contracts/bridge.md section 6 and the README's table of settings.
"""

import gc
import os
from functools import cache
from typing import Literal

Table = Literal["ledger", "ephemeral", "secrets"]
SECRET_MAX_AGE_S = 300

# A cold start makes 80,000 objects that stay. To look through them over and over would be a tenth
# of its time, so the collector waits until they are there: store.table.client lets it go on.
COLLECT_EVERY = gc.get_threshold()
gc.set_threshold(250_000)


class SecretUnavailable(Exception):
    """An SSM parameter has not been put, or cannot be read now. The message is its name."""


def setting(name: str, default: str = "") -> str:
    return os.environ.get(name, "") or default


def number(name: str, default: int) -> int:
    """A whole number; an empty value is the default, so 0 can switch a limit off."""
    return int(setting(name, str(default)))


def listed(name: str) -> list[str]:
    """A comma-separated setting."""
    return [part.strip() for part in setting(name).split(",") if part.strip()]


def is_live() -> bool:
    return setting("MODE", "test") == "live"


@cache
def table_name(table: Table) -> str:
    return os.environ[f"{table.upper()}_TABLE"]


def provider_base_url(name: str, default: str) -> str:
    """Where a provider answers; pointing it elsewhere is for simulators, so never in live mode."""
    override = setting(name)
    if override and is_live():
        raise ValueError(f"{name} must not be set when MODE is live")
    return override or default


def secret(name: str) -> str:
    """An SSM SecureString under SECRETS_PREFIX, kept for 300 seconds.

    Raises SecretUnavailable. Powertools is imported here because most functions need no secret.
    """
    from aws_lambda_powertools.utilities import parameters
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    path = f"{setting('SECRETS_PREFIX')}/{name}"
    try:
        value = parameters.get_parameter(path, decrypt=True, max_age=SECRET_MAX_AGE_S)
    except GetParameterError:
        raise SecretUnavailable(name) from None  # its own text names the account
    return str(value)


def forget_secrets() -> None:
    """Read secrets anew: a provider said that our credentials are wrong, they may have rotated."""
    from aws_lambda_powertools.utilities import parameters

    parameters.clear_caches()
