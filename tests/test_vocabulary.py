"""Names use the field's words: the words that they replaced name nothing any more.

`WORDS` are the old words, each with what stands for it now. A name is split at its underscores and
capitals, so `look` finds `next_look` and `Look`, and not `lookup`. Names are those of files,
classes, functions, arguments, attributes and variables; log messages count too.
Source: docs/glossary.md.
"""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("layers/bridge", "functions", "local", "tests", "benchmarks")
LOG_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}

WORDS = {
    "ahead": "prefetched",
    "anew": "again",
    "answered": "result",
    "bears": "has",
    "congested": "throttled",
    "dialect": "API adapter",
    "dialects": "API adapters",
    "ending": "attempt outcome",
    "faults": "validation errors",
    "fence": "version",
    "fenced": "version",
    "hear": "handle",
    "heard": "handled",
    "hears": "handles",
    "held": "active attempt",
    "hint": "event reference",
    "hints": "event references",
    "house": "test environment",
    "let_go": "detach",
    "live": "active attempt",
    "look": "status check",
    "looked": "checked",
    "looks": "status checks",
    "merge": "commit_transition",
    "named": "prefetch",
    "neighbour": "other API",
    "neighbours": "other APIs",
    "outrun": "version conflict",
    "parked": "retries exhausted",
    "put_off": "deferred",
    "puts_off": "defers",
    "rang": "triggered",
    "replays": "idempotency",
    "ring": "trigger",
    "ringing": "triggering",
    "rings": "triggers",
    "shown": "provider state",
    "step": "crash point",
    "steps": "crash points",
    "told": "response",
    "wanted": "pending changes",
    "whoever": "the next process",
}
# Where a word is the field's own, in another meaning: (word, pattern of the file, of the name).
EXCEPTIONS = (
    ("live", r".*", r"is_live|livemode|live_mode|LIVE_.*|live"),  # Stripe's and our `live` mode
    ("faults", r"local/.*|tests/.*", r".*"),  # of the simulators: fault injection
    ("merge", r".*core/payment_state/.*|tests/.*", r".*"),  # of a provider's state into our row
    ("step", r"tests/contracts/test_stateful\.py", r"stateful_step_count"),  # of Hypothesis
)


def words_in(name: str) -> Iterator[str]:
    """`let_go`, `let`, `go` for `_let_goMethod` and so on: single words, then pairs."""
    parts = [each.lower() for each in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    yield from parts
    yield from (f"{first}_{second}" for first, second in pairwise(parts))


def names_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that a file gives, with its line; of a log message, its text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.value.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            message = node.args[0] if node.args else None
            if node.func.attr in LOG_LEVELS and isinstance(message, ast.Constant):
                yield node.lineno, str(message.value).replace(" ", "_")


def old_words(path: Path) -> list[str]:
    """Lines like `core/sweep.py:12 next_look: look is now status check`."""
    place = str(path.relative_to(ROOT))
    found = [(0, path.stem), *names_in(ast.parse(path.read_text(encoding="utf-8")))]
    return [
        f"{place}:{line} {name}: {word} is now {WORDS[word]}"
        for line, name in found
        for word in words_in(name)
        if word in WORDS and not is_excepted(word, place, name)
    ]


def is_excepted(word: str, place: str, name: str) -> bool:
    return any(
        word == each and re.fullmatch(file, place) and re.fullmatch(pattern, name)
        for each, file, pattern in EXCEPTIONS
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_name_uses_an_old_word(folder: str) -> None:
    found = [line for path in sorted((ROOT / folder).rglob("*.py")) for line in old_words(path)]
    assert found == []


def test_an_old_word_is_found_in_every_kind_of_name() -> None:
    tree = ast.parse(
        "class Look: ...\n"
        "def let_go(told, *, ahead=1): hint = told.fence\n"
        'log.info("put off")\nact(wanted=1)\n'
    )
    found = {word for _, name in names_in(tree) for word in words_in(name) if word in WORDS}
    assert found == {"look", "let_go", "told", "ahead", "hint", "fence", "put_off", "wanted"}
