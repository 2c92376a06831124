"""The table of `make mutate` and its list of equal mutants fit the code. mutmut is not needed.

Source: docs/payment-correctness.md, section 10.
"""

import pytest

from tests.mutation import modules
from tests.mutation.equal import EQUAL, Equal
from tests.mutation.modules import MODULES, ROOT, source_of


@pytest.mark.parametrize("module", MODULES)
def test_module_and_its_test_files_exist(module: str) -> None:
    for path in (source_of(module), *modules.tests_of(module)):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("entry", EQUAL, ids=lambda entry: f"{entry.place}: {entry.after}")
def test_equal_mutant_changes_lines_that_are_there(entry: Equal) -> None:
    lines = (ROOT / source_of(entry.module)).read_text(encoding="utf-8").splitlines()
    assert entry.before in " ".join(map(str.strip, lines))
    assert entry.module in MODULES
    assert entry.reason
