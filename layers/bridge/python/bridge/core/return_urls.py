"""Where a provider may send the customer back to (B19)."""

from urllib.parse import urlsplit

from bridge import config
from bridge.errors import Detail, InvalidRequest

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def check(**urls: str | None) -> None:
    """Raises InvalidRequest that names every address which is not allowed."""
    faults = {field: fault for field, url in urls.items() if url and (fault := _fault(url))}
    if faults:
        details = [Detail(field, fault) for field, fault in faults.items()]
        raise InvalidRequest(", ".join(f"{f} {m}" for f, m in faults.items()), details=details)


def _fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "must be a URL"
    if any(ord(each) <= 32 or each == "\\" for each in url) or "@" in parts.netloc or not host:
        return "must be a URL"
    if parts.scheme == "http":
        if config.is_live() or host not in LOCAL_HOSTS:
            return "must start with https://"
        return None
    if parts.scheme != "https":
        return "must start with https://"
    if host not in config.listed("RETURN_URL_HOSTS"):
        return "must be on one of the hosts in RETURN_URL_HOSTS"
    return None


def default() -> str | None:
    return config.setting("RETURN_URL") or None
