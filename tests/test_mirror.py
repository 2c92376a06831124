"""The tests mirror the shared code: a module has its test file, and a test file its module.

Source: docs/architecture.md, section 2.
"""

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
BRIDGE = TESTS.parent / "layers" / "bridge" / "python" / "bridge"
# Tests of several modules at once, in the folder of the group that they are about.
ACROSS = {"core/payments/test_races.py", "core/payments/test_refunds.py"}


def mirrored() -> dict[str, str]:
    """The test file of each module, by the module: `core/rules/access.py` and so on."""
    modules = (path.relative_to(BRIDGE) for path in BRIDGE.rglob("*.py"))
    return {
        str(module): str(module.with_name(f"test_{module.name}"))
        for module in modules
        if module.name != "__init__.py"
    }


@pytest.mark.parametrize("module", sorted(mirrored()))
def test_module_has_its_test_file(module: str) -> None:
    assert (TESTS / mirrored()[module]).is_file()


@pytest.mark.parametrize("folder", sorted({path.parts[0] for path in map(Path, mirrored())}))
def test_test_file_has_its_module(folder: str) -> None:
    found = {str(path.relative_to(TESTS)) for path in (TESTS / folder).rglob("test_*.py")}
    assert found - set(mirrored().values()) - ACROSS == set()
