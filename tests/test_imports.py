"""Which package may import which. Source: docs/architecture.md, section 2."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BRIDGE = ROOT / "layers" / "bridge" / "python" / "bridge"

LEAVES = {"models", "errors", "config", "clock"}
BELOW_CORE = LEAVES | {"store", "providers", "queues", "bodies"}
# The groups of core, each with the groups that it may use. There are no cycles.
CORE = {
    "core.rules": set[str](),
    "core.customers": {"core.rules"},
    "core.wallet": {"core.customers", "core.rules"},
    "core.payment_state": {"core.rules"},
    "core.payments": {"core.payment_state", "core.wallet", "core.customers", "core.rules"},
    "core.workers": {"core.payments", "core.payment_state", "core.wallet", "core.rules"},
    "core.operations": {"core.workers", "core.payment_state", "core.rules"},
}
DATABASE = {"store.dynamodb", "store.keys", "store.pagination"}
# The same for the store. `jobs` and `dedupe` are written in the transactions of the others.
STORE = {
    "store.keys": set[str](),
    "store.dynamodb": {"store.keys", "aws"},
    "store.pagination": {"store.dynamodb", "store.keys"},
    "store.prefetch": {"store.keys"},
    "store.access": DATABASE | {"store.prefetch"},
    "store.dedupe": DATABASE,
    "store.jobs": DATABASE,
    "store.customers": DATABASE | {"store.dedupe", "store.jobs"},
    "store.wallet": DATABASE | {"store.customers", "store.dedupe", "store.jobs"},
    "store.payments": DATABASE | {"store.customers", "store.dedupe"},
}
MAY_IMPORT: dict[str, set[str]] = {
    "api_adapters": {"inbound", "bodies", "authentication", "models", "errors"},
    "authentication": {"store", "outbound", "ssm", "models", "errors", "config", "clock"},
    **{group: BELOW_CORE | below for group, below in CORE.items()},
    **{group: LEAVES | below for group, below in STORE.items()},
    "providers": {"outbound", "ssm", "models", "errors", "config", "clock"},
    # `inbound` reads two things from leaves: the end of a run from the clock, and the trusted
    # address header from a setting. Background events and JSON have modules of their own.
    "inbound": {"strict_json", "models", "errors", "config", "clock"},
    "background": {"inbound", "bodies", "models", "errors"},
    "bodies": {"inbound", "models", "errors"},
    "strict_json": {"errors"},
    "outbound": {"models", "errors", "config"},
    "queues": {"aws", "models", "errors", "config"},
    "ssm": {"aws", "config", "clock"},
    "aws": {"config", "startup"},
    "startup": set(),
    "models": {"errors"},
    "errors": set(),
    "config": set(),
    "clock": set(),
}
API_ADAPTERS = ("native", "payments_ai", "monri", "alternative")
BEHIND = ("webhooks", "jobs", "operations")  # groups without an API adapter
ALL_API_ADAPTERS = {f"api_adapters.{each}" for each in API_ADAPTERS}
BODILESS = ("get_", "list_", "delete_", "archive_", "sync_")  # names of functions that read no body
RIGS = ("local", "tests", "benchmarks")  # not in the bundle; they may import everything

# Libraries that only these packages may import.
OWNERS = {
    "boto3": set(),  # it makes the same clients as botocore, and costs a tenth of a cold start
    "botocore": {"aws", "store", "queues", "ssm"},
    # It takes as long to load as a client of DynamoDB: only who reads a request's body needs it.
    "pydantic": {"bodies", "api_adapters"},
    "stripe": {"providers"},
    "urllib3": {"outbound"},
    "requests": {"providers"},  # the transport of Stripe's SDK
    "itsdangerous": {"authentication", "api_adapters"},  # guest tokens, cursors
    "joserfc": {"authentication"},
}


def python_files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


OURS = python_files(BRIDGE, ROOT / "functions")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at any place in it. `from a import b` counts as a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def package_of(path: Path) -> str:
    """`core.rules` for core/rules/access.py of the layer, `inbound` for inbound.py."""
    first, *more = path.relative_to(BRIDGE).with_suffix("").parts
    return f"{first}.{more[0]}" if first in ("core", "store") else first


def allowed(path: Path) -> set[str]:
    """The packages that a file may import. A function's API adapter as `api_adapters.native`."""
    if path.is_relative_to(BRIDGE):
        package = package_of(path)
        return MAY_IMPORT[package] | {package}
    group, name = path.relative_to(ROOT / "functions").parts[:2]
    own = {f"api_adapters.{group}"} if group in API_ADAPTERS else set()
    if (group, name) == ("operations", "unmatched"):
        own = ALL_API_ADAPTERS
    assert own or group in BEHIND, f"{group} is not a group of functions"
    operators = {"bodies"} if group == "operations" else set()
    return {"core", "inbound", "background"} | own | operators


def forbidden(path: Path) -> list[str]:
    may = allowed(path)
    found = []
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "bridge" and not ({parts[1], ".".join(parts[1:3])} & may):
            found.append(module)
    return found


@pytest.mark.parametrize("path", OURS, ids=relative)
def test_a_package_imports_only_what_its_row_allows(path: Path) -> None:
    if path.name != "__init__.py":
        assert forbidden(path) == []


@pytest.mark.parametrize("path", OURS, ids=relative)
def test_the_bundle_does_not_import_developer_code(path: Path) -> None:
    assert [each for each in imports(path) if each.split(".")[0] in (*RIGS, "functions")] == []


@pytest.mark.parametrize("path", python_files(BRIDGE), ids=relative)
def test_a_library_with_an_owner_is_imported_by_its_owner_only(path: Path) -> None:
    tops = {each.split(".")[0] for each in imports(path)}
    strays = [
        library
        for library, owners in OWNERS.items()
        if library in tops and package_of(path).split(".")[0] not in owners
    ]
    assert strays == []


@pytest.mark.parametrize("path", python_files(BRIDGE), ids=relative)
def test_only_config_reads_the_environment_and_only_clock_the_time(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    readers = {"config.py": ("os.environ", "getenv("), "clock.py": ("datetime.now(", "time.time(")}
    for owner, calls in readers.items():
        assert [call for call in calls if call in text and path != BRIDGE / owner] == []


def test_every_package_of_the_bundle_has_a_row() -> None:
    files = [path for path in python_files(BRIDGE) if path.name != "__init__.py"]
    packages = {package_of(path) for path in files}
    assert packages <= set(MAY_IMPORT)


def test_init_files_contain_no_code() -> None:
    filled = [path for path in OURS if path.name == "__init__.py" and path.read_text()]
    assert filled == [BRIDGE / "__init__.py"]  # it calls `startup` before anything else


def test_handlers_do_not_import_provider_or_batch_processor() -> None:
    """Each of them adds up to 120 ms to a cold start, so they are imported where they are used."""
    heavy = (
        *("stripe", "requests", "joserfc", "cryptography"),
        "aws_lambda_powertools.utilities.batch",
    )
    program = f"""
import importlib.util, pathlib, sys
for number, path in enumerate(sorted(pathlib.Path("functions").glob("*/*/handler.py"))):
    spec = importlib.util.spec_from_file_location(f"handler_{{number}}", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
print(*(name for name in sys.modules if name.startswith({heavy!r})))
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": str(BRIDGE.parent), "POWERTOOLS_METRICS_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == []


def test_functions_that_read_no_body_do_not_load_pydantic() -> None:
    """It takes a third of a cold start."""
    reading = [
        str(path)
        for path in sorted((ROOT / "functions").glob("*/*/handler.py"))
        if path.parts[-3] in ("jobs", "webhooks")
        or (path.parts[-3] != "operations" and path.parts[-2].startswith(BODILESS))
    ]
    assert len(reading) > 35
    program = f"""
import importlib.util, sys
for path in {reading!r}:
    spec = importlib.util.spec_from_file_location("handler", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    if "pydantic" in sys.modules:
        sys.exit(path)
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": str(BRIDGE.parent), "POWERTOOLS_METRICS_DISABLED": "true"},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_a_forbidden_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = tmp_path / "functions" / "native" / "get_payment" / "handler.py"
    handler.parent.mkdir(parents=True)
    handler.write_text(
        "from bridge.api_adapters import native, monri\n"
        "from bridge import store\n"
        "def late():\n    import bridge.providers.stripe\n"
    )
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert forbidden(handler) == [
        "bridge.api_adapters.monri",
        "bridge.store",
        "bridge.providers.stripe",
    ]
