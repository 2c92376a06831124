"""Every citation leads to a page, a section, a rule or a decision that is there.

The forms: `docs/data-model.md, section 2`, `docs/payment-correctness.md, rule 4`, and where the
page is clear, `rule 4`, `T1`, and decisions of the APIs: `B17` (native), `P4` (payments.ai), `M4`
(Monri), `A4` (Alternative Payments). In the pages themselves links are relative.
"""

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BRIDGE = ROOT / "layers" / "bridge" / "python" / "bridge"
CODE = ("layers/bridge", "functions", "local", "tests", "benchmarks")
TEXTS = ("README.md", "template.yaml", "Makefile", "pyproject.toml", ".ci/run")
RULES = "docs/payment-correctness.md"
DECISIONS = {
    "B": "docs/api/native.md",
    "P": "docs/api/payments-ai.md",
    "M": "docs/api/monri.md",
    "A": "docs/api/alternative.md",
}
PLACE = r"[0-9A-H]+(?:\.[0-9]+)*"
PLACES = rf"{PLACE}(?:(?:, | and | to ){PLACE})*"
PAGE = re.compile(
    rf"docs/(?P<page>[a-z/-]+\.md)(?:,\s+(?P<kind>sections?|rules?)\s+(?P<places>{PLACES}))?"
)
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
LINKED_SECTIONS = re.compile(rf"(?P<kind>sections?|rules?) (?P<places>{PLACES})")
RULE = re.compile(r"\brules? (?P<places>[0-9]+(?:(?:, | and | to )[0-9]+)*)")
DECISION = re.compile(r"(?<![\w.-])(?P<letter>[BPMA])(?P<number>[1-9][0-9]?)(?![\w.-]*[\w-])")
IN_TEST_NAME = re.compile(r"_(?P<letter>[bpma])(?P<number>[1-9][0-9]?)_")
# Files that a page quotes; those of the shared code are relative to it or begin with `bridge/`.
SHARED = r"bridge|core|store|models|providers|api_adapters|authentication"
FILE = re.compile(
    rf"`(?P<path>(?:{SHARED}|functions|tests|local|benchmarks|events|layers|docs)/[\w./*<>-]+)`"
)
# The documents that these pages stand for now: nobody else has them.
GONE = re.compile(
    r"\b(?:design|contracts)/[a-z-]+\.md|(?<![\w/(-])(?:convergence|bridge|architecture)\.md"
    r"|(?<![\w/(-])(?:data-model|payments-ai|monri|alternative|providers|deployment|style)\.md"
)


def cited_texts(path: Path) -> Iterator[tuple[int, str]]:
    """What a file says in prose: of Python its comments and docstrings, else all of it."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield 1, text
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (
            token.type == tokenize.STRING and token.string.lstrip("rbfRBF").startswith('"""')
        ):
            yield token.start[0], re.sub(r"\s*\n\s*", " ", token.string)


def files() -> list[Path]:
    code = (path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
    pages = DOCS.rglob("*.md")
    return sorted([*code, *pages, *(ROOT / name for name in TEXTS)])


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def sections(page: str) -> frozenset[str]:
    """The numbers of a page's headings: `## 5. Title` is 5, `### A.1 Title` is A.1."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return frozenset(re.findall(rf"(?m)^#+ ({PLACE})\.? ", text))


@cache
def defined(page: str, pattern: str) -> Counter[str]:
    """How often each number is defined, in bold: `**Rule 4.**`, `**B17**`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return Counter(re.findall(rf"\*\*{pattern}", text))


def numbers(places: str) -> Iterator[str]:
    """`2 and 4 to 6` gives 2, 4, 5, 6."""
    parts = re.split(r"(, | and | to )", places)
    for at, part in enumerate(parts):
        if at % 2 == 0:
            yield part
        elif part == " to " and parts[at - 1].isdigit() and parts[at + 1].isdigit():
            yield from map(str, range(int(parts[at - 1]) + 1, int(parts[at + 1])))


def unresolved_places(page: str, kind: str, places: str) -> Iterator[str]:
    known = defined(page, r"Rule (\d+)") if kind.startswith("rule") else sections(page)
    yield from (f"{page}, {kind} {each}" for each in numbers(places) if each not in known)


def unresolved(text: str, path: Path) -> Iterator[str]:
    yield from (f"{each[0]} is outside the repository" for each in GONE.finditer(text))
    for each in PAGE.finditer(text):
        page = f"docs/{each['page']}"
        if not (ROOT / page).is_file():
            yield f"{page} does not exist"
        elif each["kind"]:
            yield from unresolved_places(page, each["kind"], each["places"])
    for each in RULE.finditer(PAGE.sub("", LINK.sub("", text))):
        yield from unresolved_places(RULES, "rule", each["places"])
    for each in DECISION.finditer(text):
        if each["number"] not in defined(DECISIONS[each["letter"]], rf"{each['letter']}(\d+)\b"):
            yield f"{each[0]} is no decision of {DECISIONS[each['letter']]}"
    if path.suffix == ".md":
        yield from unresolved_links(text, path)


def unresolved_links(text: str, path: Path) -> Iterator[str]:
    """Links of a page, the sections that their text names, and the files that it quotes."""
    for each in LINK.finditer(text):
        if "://" in each["target"] or not each["target"]:
            continue
        target = (path.parent / each["target"]).resolve()
        if not target.exists():
            yield f"{each['target']} does not exist"
        elif target.suffix == ".md" and (cited := LINKED_SECTIONS.search(each["text"])):
            yield from unresolved_places(relative(target), cited["kind"], cited["places"])
    for each in FILE.finditer(text):
        place = each["path"].removesuffix("/")
        shared = re.match(rf"(?:{SHARED})/", place)
        folder = BRIDGE if shared else ROOT
        if not re.search(r"[*<>]", place) and not (folder / place.removeprefix("bridge/")).exists():
            yield f"{place} does not exist"


@pytest.mark.parametrize("path", files(), ids=relative)
def test_every_citation_of_a_file_resolves(path: Path) -> None:
    found = [
        f"{relative(path)}:{line}: {problem}"
        for line, text in cited_texts(path)
        for problem in unresolved(text, path)
    ]
    assert found == []


def test_every_decision_in_a_test_name_exists() -> None:
    found = [
        f"{relative(path)}: {name[0]}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for test in re.findall(r"(?m)^\s*def (test_\w+)", path.read_text(encoding="utf-8"))
        for name in IN_TEST_NAME.finditer(test)
        if name["number"]
        not in defined(DECISIONS[name["letter"].upper()], rf"{name['letter'].upper()}(\d+)\b")
    ]
    assert found == []


@pytest.mark.parametrize("page", sorted(DECISIONS.values()))
def test_every_decision_is_defined_once(page: str) -> None:
    letter = next(each for each, where in DECISIONS.items() if where == page)
    found = defined(page, rf"{letter}(\d+)\b")
    assert {number for number, times in found.items() if times > 1} == set()
    assert sorted(map(int, found)) == list(range(1, max(map(int, found)) + 1))


def test_every_rule_is_defined_once() -> None:
    assert list(defined(RULES, r"Rule (\d+)").items()) == [(str(each), 1) for each in range(1, 20)]


@pytest.mark.parametrize(
    "text",
    [
        "Source: design/convergence.md, section 5.",
        "data-model.md 2",
        "docs/nothing.md",
        "docs/data-model.md, section 99",
        "docs/payment-correctness.md, rule 99",
        "docs/data-model.md, sections 2 and 98",
        "(rule 99)",
        "(B99)",
        "(M99)",
    ],
)
def test_a_citation_that_leads_nowhere_is_found(text: str) -> None:
    assert list(unresolved(text, Path("x.py")))
