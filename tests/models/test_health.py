"""The body of /health. Source: docs/api/native.md, section 6."""

from bridge.models.health import Health
from bridge.models.model import values_of


def test_http_status_is_200_if_ok_and_503_if_unavailable() -> None:
    assert Health(status="ok", version="1").http_status == 200
    assert Health(status="unavailable", version="1").http_status == 503


def test_body_has_status_and_version_only() -> None:
    assert values_of(Health(status="ok", version="1")) == {"status": "ok", "version": "1"}
