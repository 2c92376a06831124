"""What the functions see locally: the template's variables, and nothing of the caller's AWS."""

from local import settings, template

URLS = {
    "aws": "http://aws",
    "dynamodb": "http://db",
    "queue": "http://q",
    "stripe": "http://s",
    "flowless": "http://f",
}


def test_parameters_carry_names_of_the_template() -> None:
    given = settings.parameters({"SESSION_MODE": "flowless", "STAGE": "prod"}, "http://here")
    assert given["SessionMode"] == "flowless"
    assert given["GuestCreationsPerMinute"] == "0"
    assert given["ReturnUrl"] == "http://here/_local/"
    assert "Stage" not in given
    declared = template.DEFAULT_PATH.read_text()
    assert [name for name in given if f"\n  {name}:\n" not in declared] == []


def test_every_choice_arrives() -> None:
    wanted = dict.fromkeys(settings.CHOICES, "1")
    ours = template.read(parameters=settings.parameters(wanted, "http://here"))
    assert ours.cors
    assert ours.cors.origins == (wanted.pop("CORS_ORIGINS"),)  # the gateway's business alone
    assert {name: ours.environment[name] for name in wanted} == wanted


def test_the_functions_are_pointed_at_this_machine() -> None:
    seen = settings.variables({"STRIPE_BASE_URL": "", "STAGE": "dev"}, {"NO_PROXY": "x"}, URLS)
    assert seen["STRIPE_BASE_URL"] == "http://s"
    assert seen["STAGE"] == "dev"
    assert seen["NO_PROXY"] == seen["no_proxy"] == "x,127.0.0.1,localhost"


def test_the_callers_account_is_forgotten() -> None:
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
