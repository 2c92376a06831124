"""Credentials of organizations. Source: docs/architecture.md, section 2."""

import msgspec
import pytest

from bridge import clock
from bridge.models.credential import AccessToken, Credential, Holder


def test_secrets_are_not_printed() -> None:
    for model in (
        Holder(organization_id="org_1", merchant_key="a secret"),
        Holder(organization_id="org_1", secret_hash="a secret"),
        AccessToken(token="a secret", life_s=60),
    ):
        assert "a secret" not in repr(model)


def test_credential_has_one_of_three_kinds() -> None:
    known = {"id": "cred_1", "organization_id": "org_1", "ends_with": "abcd"}
    for kind in ("api_key", "merchant", "oauth_client"):
        given = known | {"kind": kind, "created_at": clock.now()}
        assert msgspec.convert(given, Credential).revoked_at is None
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(known | {"kind": "password", "created_at": clock.now()}, Credential)
