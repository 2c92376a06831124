"""Reads SAM templates: how intrinsics are resolved, and what the repository's template contains."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from local import template
from local.intrinsics import Loader, Resolver

SOURCE = """
Parameters:
  Stage: {Type: String, Default: dev}
  Origins: {Type: CommaDelimitedList, Default: "http://a.test, http://b.test"}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Either: !Or [!Condition IsProd, !Equals [!Ref Stage, dev]]
Mappings:
  Sizes: {prod: {days: 365}, dev: {days: 7}}
"""


def resolve(text: str, **parameters: str) -> Any:
    document = yaml.load(SOURCE, Loader)
    return Resolver(document, parameters, {"Ledger": "bridge-local-ledger"}).resolve(
        yaml.load(text, Loader)
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref Stage", "dev"),
        ("!Ref Origins", ["http://a.test", "http://b.test"]),
        ("!Ref Ledger", "bridge-local-ledger"),
        ("!Ref SomeRole", "SomeRole"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!GetAtt SomeRole.Arn", "SomeRole.Arn"),
        ("!Sub /bridge/${Stage}", "/bridge/dev"),
        ("!Sub ['${A}-${Stage}-${!Kept}', {A: !Ref Ledger}]", "bridge-local-ledger-dev-${Kept}"),
        ("!If [IsProd, 35, 7]", 7),
        ("!If [IsDev, !Ref Stage, no]", "dev"),
        ("!If [Either, 1, 2]", 1),
        ("{A: !If [IsProd, 1, !Ref AWS::NoValue], B: 2}", {"B": 2}),
        ("[!If [IsProd, 1, !Ref AWS::NoValue], 2]", [2]),
        ("!Join [',', !Ref Origins]", "http://a.test,http://b.test"),
        ("!Select [1, !Split ['.', a.b.c]]", "b"),
        ("!FindInMap [Sizes, !Ref Stage, days]", 7),
        ("Fn::Sub: x-${Stage}", "x-dev"),
        ("{Fn: 1, Ref: 2}", {"Fn": 1, "Ref": 2}),
    ],
)
def test_intrinsics_are_resolved(text: str, value: object) -> None:
    assert resolve(text) == value


def test_parameters_override_defaults() -> None:
    assert resolve("!If [IsProd, !Sub 'in ${Stage}', 7]", Stage="prod") == "in prod"


def test_unknown_intrinsic_is_refused() -> None:
    with pytest.raises(ValueError, match="Fn::Cidr"):
        resolve("!Cidr [a, b, c]")


def test_resources_with_a_false_condition_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    resource = "{Type: AWS::Serverless::Function, Condition: %s, Properties: {CodeUri: x/}}"
    lines = [f"  {name}: {resource % name}" for name in ("IsProd", "IsDev")]
    path.write_text(SOURCE + "Resources:\n" + "\n".join(lines))
    assert list(template.read(path).functions) == ["IsDev"]
    assert list(template.read(path, {"Stage": "prod"}).functions) == ["IsProd"]


@pytest.fixture(scope="module")
def ours() -> template.Template:
    return template.read()


def test_every_function_has_its_handler(ours: template.Template) -> None:
    missing = [f.name for f in ours.functions.values() if not (f.folder / "handler.py").is_file()]
    assert missing == []


def test_functions_time_out_before_the_gateway(ours: template.Template) -> None:
    answering = [f for f in ours.functions.values() if f.routes]
    assert {f.timeout_s for f in answering} == {25}
    assert ours.functions["JobsSweepPayments"].timeout_s == 55


def test_sweep_has_a_schedule_and_unmatched_the_default_route(ours: template.Template) -> None:
    assert ours.functions["JobsSweepPayments"].schedules == ("rate(1 minute)",)
    routes = ours.functions["OperationsUnmatched"].routes
    assert routes == (template.Route("ANY", "$default"),)


def test_stream_of_the_ledger_triggers_event_delivery(ours: template.Template) -> None:
    (trigger,) = ours.functions["JobsDeliverEvents"].streams
    assert (trigger.table, trigger.batch_size) == ("bridge-local-ledger", 100)
    assert [sorted(each) for each in trigger.filters] == [["dynamodb", "eventName"]]
    assert ours.functions["JobsSweepPayments"].streams == ()


def test_tables_are_arguments_of_create_table(ours: template.Template) -> None:
    assert set(ours.tables) == {"Ledger", "Ephemeral", "Secrets"}
    ledger = ours.tables["Ledger"]
    assert ledger["TableName"] == "bridge-local-ledger"
    assert [index["IndexName"] for index in ledger["GlobalSecondaryIndexes"]] == ["due"]
    assert "StreamSpecification" not in ledger


def test_variables_have_the_local_table_names(ours: template.Template) -> None:
    assert ours.environment["LEDGER_TABLE"] == "bridge-local-ledger"
    assert ours.environment["SECRETS_PREFIX"] == "/bridge/dev"
    assert all(isinstance(value, str) for value in ours.environment.values())


def test_cors_lists_its_origins(ours: template.Template) -> None:
    assert ours.cors is not None
    assert ours.cors.credentials
    assert "*" not in ours.cors.origins
