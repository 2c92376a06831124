"""The addresses to which a provider may send the payer back (B19).

Source: docs/api/native.md, section 4.
"""

from urllib.parse import urlsplit

from bridge import config
from bridge.errors import Detail, InvalidRequest

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def check(**urls: str | None) -> None:
    """Raises InvalidRequest that names every field whose address is not allowed."""
    given = {field: url for field, url in urls.items() if url is not None}
    errors = {field: error for field, url in given.items() if (error := _error_of(url))}
    if errors:
        details = [Detail(field, error) for field, error in errors.items()]
        raise InvalidRequest(", ".join(f"{f} {m}" for f, m in errors.items()), details=details)


def _error_of(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.scheme == "http":
        allowed = not config.is_live() and parts.hostname in LOCAL_HOSTS
        return None if allowed else "must start with https://"
    if parts.hostname not in config.listed("RETURN_URL_HOSTS"):
        return "must be on one of the hosts in RETURN_URL_HOSTS"
    return None


def default() -> str | None:
    """The return address of a payment that was created without one, from the setting."""
    return config.setting("RETURN_URL") or None
