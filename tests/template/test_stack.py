"""The rest of the stack: tables, logs, CORS, throttling, timeouts, settings, secrets.

Source: docs/deployment.md, section 6.
"""

import json
import re
import tomllib

import pytest

from local.intrinsics import Resolver
from tests.policies import DOCUMENT, FUNCTIONS, RESOURCES, ROOT, of_type
from tests.template.stack import BASE, CALLS, LOCAL, ROUTES


def test_settings_the_code_reads_are_those_the_template_declares() -> None:
    readers = {"setting", "number", "listed", "provider_base_url"}
    read = {text for called, text in CALLS if called in readers} | {
        *("LEDGER_TABLE", "EPHEMERAL_TABLE", "SECRETS_TABLE"),  # config.table_name
    }
    declared = set(DOCUMENT["Globals"]["Function"]["Environment"]["Variables"])
    of_libraries = {name for name in declared if name.startswith(("POWERTOOLS_", "PYDANTIC_"))}
    assert declared - of_libraries == read
    assert [name for name, each in FUNCTIONS.items() if "Environment" in each] == []


@pytest.mark.parametrize(
    ("parameters", "protected"),
    [({}, False), ({"Stage": "prod"}, True), ({"Mode": "live"}, True)],
)
def test_production_tables_are_protected(parameters: dict[str, str], protected: bool) -> None:
    resolver = Resolver(DOCUMENT, parameters, {})
    tables = {
        name: resolver.resolve(each) for name, each in of_type("AWS::DynamoDB::Table").items()
    }
    recovery = {name: each["PointInTimeRecoverySpecification"] for name, each in tables.items()}
    assert sorted(tables) == ["Ephemeral", "Ledger", "Secrets"]
    assert {each["DeletionProtectionEnabled"] for each in tables.values()} == {protected}
    assert recovery["Ledger"]["PointInTimeRecoveryEnabled"] is protected
    for name in ("Ephemeral", "Secrets"):  # a backup would contain what was deleted
        assert recovery[name]["PointInTimeRecoveryEnabled"] is False
    for name in tables:
        assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_only_temporary_tables_have_a_ttl() -> None:
    tables = of_type("AWS::DynamoDB::Table")
    expiry = {"AttributeName": "exp", "Enabled": True}
    assert {name: each.get("TimeToLiveSpecification") for name, each in tables.items()} == {
        "Ledger": None,
        "Ephemeral": expiry,
        "Secrets": expiry,
    }


def test_secrets_table_has_its_own_encryption_key_that_rotates() -> None:
    encryption = {
        name: each.get("SSESpecification") for name, each in of_type("AWS::DynamoDB::Table").items()
    }
    assert encryption["Ledger"] is encryption["Ephemeral"] is None
    assert encryption["Secrets"]["KMSMasterKeyId"] == {"Fn::GetAtt": ["SecretsKey", "Arn"]}
    assert RESOURCES["SecretsKey"]["Properties"]["EnableKeyRotation"] is True


def test_creations_and_guest_listing_have_their_own_throttling() -> None:
    api = RESOURCES["Api"]["Properties"]
    routes = {
        f"POST {BASE}/payments/intents",
        f"POST {BASE}/customers",
        f"GET {BASE}/payments/guest/{{email}}",
    }
    assert set(api["RouteSettings"]) == routes
    for each in [api["DefaultRouteSettings"], *api["RouteSettings"].values()]:
        assert each["ThrottlingRateLimit"] < each["ThrottlingBurstLimit"]


def test_logs_expire_and_contain_no_path_and_no_query() -> None:
    for each in of_type("AWS::Logs::LogGroup").values():
        assert each["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    line = RESOURCES["Api"]["Properties"]["AccessLogSettings"]["Format"]
    fields = set(json.loads(line).values())
    assert {
        field for field in fields if re.search("path|query|header|authorizer", field.lower())
    } == set()


def test_cors_allows_configured_origins_and_the_documented_headers() -> None:
    cors = RESOURCES["Api"]["Properties"]["CorsConfiguration"]
    assert cors["AllowOrigins"] == {"Ref": "CorsOrigins"}
    assert "*" not in DOCUMENT["Parameters"]["CorsOrigins"]["Default"]
    headers = {"authorization", "content-type", "idempotency-key", "x-guest-token", "x-session-id"}
    assert headers <= set(cors["AllowHeaders"])
    assert {"idempotent-replayed", "retry-after", "x-request-id"} <= set(cors["ExposeHeaders"])
    assert {route.split()[0] for route in ROUTES} - {"$default"} == set(cors["AllowMethods"])


def test_function_timeout_is_shorter_than_the_gateways() -> None:
    for name, function in LOCAL.functions.items():
        most = 900 if name in ("JobsReconcilePayments", "JobsReadEventLog") else 60
        assert function.timeout_s <= (25 if function.routes else most), name


def test_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert DOCUMENT["Parameters"]["Version"]["Default"] == project["version"]


def test_template_resolves_no_secret() -> None:
    assert "{{resolve:" not in (ROOT / "template.yaml").read_text(encoding="utf-8")
