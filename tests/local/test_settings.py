"""The functions' local environment: the template's variables, and no AWS account of the caller."""

from local import settings, template

URLS = {
    "aws": "http://aws",
    "dynamodb": "http://db",
    "queue": "http://q",
    "stripe": "http://s",
    "flowless": "http://f",
}


def test_parameters_have_the_names_of_the_template() -> None:
    given = settings.parameters({"SESSION_MODE": "flowless", "STAGE": "prod"}, "http://here")
    assert given["SessionMode"] == "flowless"
    assert given["GuestCreationsPerMinute"] == "0"
    assert given["ReturnUrl"] == "http://here/_local/"
    assert "Stage" not in given
    declared = template.DEFAULT_PATH.read_text()
    assert [name for name in given if f"\n  {name}:\n" not in declared] == []


def test_every_choice_reaches_the_functions() -> None:
    chosen = dict.fromkeys(settings.CHOICES, "1")
    ours = template.read(parameters=settings.parameters(chosen, "http://here"))
    assert ours.cors
    assert ours.cors.origins == (chosen.pop("CORS_ORIGINS"),)  # only the gateway uses it
    assert {name: ours.environment[name] for name in chosen} == chosen


def test_variables_have_the_addresses_of_this_machine() -> None:
    variables = settings.variables({"STRIPE_BASE_URL": "", "STAGE": "dev"}, {"NO_PROXY": "x"}, URLS)
    assert variables["STRIPE_BASE_URL"] == "http://s"
    assert variables["STAGE"] == "dev"
    assert variables["NO_PROXY"] == variables["no_proxy"] == "x,127.0.0.1,localhost"


def test_leave_aws_removes_the_callers_account() -> None:
    environment = {"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "t", "AWS_REGION": "x", "HOME": "/"}
    settings.leave_aws(environment)
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["HOME"] == "/"


def test_secrets_are_new_in_every_run() -> None:
    first, second = settings.made_up_secrets(), settings.made_up_secrets()
    assert all(first[name] != second[name] for name in first)
    assert first["STRIPE_SECRET_KEY"].startswith("sk_test_")
