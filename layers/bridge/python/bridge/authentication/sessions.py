"""Checks sessions: in our own table, at Flowless, or as a JSON Web Token.

Source: docs/api/native.md, section 2 (B7).
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from bridge import clock, config, outbound, ssm
from bridge.errors import AuthUnavailable, NotAuthenticated
from bridge.models.caller import Caller, PrefetchIds, Session
from bridge.models.model import checked, values_of
from bridge.store.access import session_items

VALIDATE = "/auth/bridge/validate"
TIMEOUT_S, TRIES = 2, 2
KEPT_S, KEPT_SESSIONS = 60, 10_000
LONGEST = 8192  # characters: enough for a JSON Web Token with many memberships

_kept: OrderedDict[str, tuple[Session, datetime]] = OrderedDict()
_lock = Lock()


def authenticate(session_id: str, prefetch_ids: PrefetchIds, *, ip: str, user_agent: str) -> Caller:
    """The user of a session. Raises NotAuthenticated `session_invalid`, AuthUnavailable."""
    if not session_id or len(session_id) > LONGEST:
        raise _invalid()
    by_default = "flowless" if config.setting("FLOWLESS_API_URL") else "table"
    mode = config.setting("SESSION_MODE", by_default)
    if mode == "flowless":
        return _caller(_by_flowless(session_id, ip, user_agent), {})
    if mode == "jwt":
        from bridge.authentication import json_web_tokens  # see its docstring

        return _caller(json_web_tokens.session_of(session_id), {})
    session, expires, prefetched = session_items.read(session_id, prefetch_ids)
    if session is None or expires <= clock.seconds():
        raise _invalid()
    return _caller(session, prefetched)


def _invalid() -> NotAuthenticated:
    return NotAuthenticated("the session is not valid", code="session_invalid")


def _caller(session: Session, prefetched: Mapping[Any, Any]) -> Caller:
    return Caller(**values_of(session, "expires_at"), prefetched=prefetched)


def _by_flowless(session_id: str, ip: str, user_agent: str) -> Session:
    """The session as Flowless reports it, kept for a minute, but never beyond its own end."""
    if not (session_id.isascii() and session_id.isprintable()):
        raise _invalid()  # it cannot be sent in a header, so it is not a session of Flowless
    with _lock:
        kept = _kept.get(session_id)
    now = clock.now()
    if kept and now < kept[1]:
        return kept[0]
    session = _ask_flowless(session_id, ip, user_agent)
    until = min(now + timedelta(seconds=KEPT_S), session.expires_at)
    with _lock:
        _kept[session_id] = (session, until)
        _kept.move_to_end(session_id)
        if len(_kept) > KEPT_SESSIONS:
            _kept.popitem(last=False)
    return session


def _ask_flowless(session_id: str, ip: str, user_agent: str) -> Session:
    body = {
        "session_id": session_id,
        "validation_mode": "standard",
        "ip": ip,
        "user_agent": user_agent,
    }
    url = config.setting("FLOWLESS_API_URL").rstrip("/") + VALIDATE
    try:
        headers = {
            "X-Session-ID": session_id,
            "X-Bridge-Secret": ssm.secret("BRIDGE_VALIDATION_SECRET"),
        }
        status, response = outbound.post_json(url, body, headers, timeout_s=TIMEOUT_S, tries=TRIES)
    except (outbound.Unreachable, ssm.SecretUnavailable) as error:
        raise AuthUnavailable("sessions cannot be checked right now", retry_after=5) from error
    if status != 200 or response.get("success") is not True:
        raise _invalid()
    try:
        session = _session_from(response)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise AuthUnavailable("sessions cannot be checked right now") from error
    if session.expires_at <= clock.now():
        raise _invalid()
    return session


def _session_from(response: dict[str, Any]) -> Session:
    """The session in a response of Flowless. Memberships are a list, or a map of id to role.

    Source: docs/api/native.md, section 2 (B7, mode `flowless`).
    """
    user = response["user"]
    expires = response.get("expires_at")
    organizations = user.get("organizations") or response.get("organizations") or {}
    if isinstance(organizations, list):
        organizations = {each["id"]: each["role"] for each in organizations}
    name = " ".join(part for part in (user.get("name"), user.get("last_name")) if part)
    session = Session(
        user_id=str(user["id"]),
        email=user.get("email"),
        name=name or None,
        phone=user.get("phone"),
        organizations=organizations,
        expires_at=_time(expires) if expires else clock.now() + timedelta(seconds=KEPT_S),
    )
    return checked(session)


def _time(given: str | int | float) -> datetime:
    """A time from RFC 3339 text, or from seconds or milliseconds since 1970."""
    if isinstance(given, str):
        at = datetime.fromisoformat(given)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return datetime.fromtimestamp(given / 1000 if given > 1e11 else given, UTC)
