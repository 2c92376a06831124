"""The mutants of a module: its text with one change by an operator of mutmut.

Only mutmut's operators are used. Its own runner cannot import our modules, whose path in the tree
is not their name, leaves tables like `MOVES` as they are, and has one set of tests for all modules.
"""

import ast
import difflib
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import libcst
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import Mutation, MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from tests.mutation.equal import Equal
from tests.mutation.modules import ROOT, source_of

SEED = "bridge"  # another seed is another sample


@dataclass(frozen=True)
class Mutant:
    """One change. `code` is the whole changed text, `nth` counts equal changes in one function.

    `place` is the function; `before` and `after` are the changed lines, without indentation.
    """

    module: str
    place: str
    before: str
    after: str
    nth: int
    original: str
    code: str

    @property
    def rank(self) -> str:
        """Its place in the sample. It does not depend on line numbers or on other functions."""
        text = f"{SEED} {self.module} {self.place} {self.before} {self.after} {self.nth}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def diff(self) -> str:
        """The change with two lines around it, below the name of the function."""
        before, after = self.original.splitlines(), self.code.splitlines()
        header, *lines = list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]
        return "\n".join([f"{header} {self.place}", *lines])

    def matches(self, equal: Equal) -> bool:
        """Whether an entry of the list of equal mutants is about this change."""
        entry = (equal.module, equal.place, equal.before, equal.after)
        return entry == (self.module, self.place, self.before, self.after)


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of the code; each text once."""
    original = (ROOT / source_of(module)).read_text(encoding="utf-8")
    functions = [
        each for each in ast.walk(ast.parse(original)) if isinstance(each, ast.FunctionDef)
    ]
    seen: Counter[tuple[str, str, str]] = Counter()
    for code in dict.fromkeys(changed_texts(original)):
        first, before, after = change_between(original.splitlines(), code.splitlines())
        around = [each for each in functions if each.lineno <= first <= (each.end_lineno or 0)]
        change = (".".join(each.name for each in around), before, after)
        seen[change] += 1
        yield Mutant(module, *change, seen[change], original, code)


def changed_texts(original: str) -> Iterator[str]:
    """The text of a module with one change each."""
    tree = MetadataWrapper(libcst.parse_module(original))
    visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
    tree.visit(visitor)
    module = tree.module
    texts = [module.code_for_node(statement) for statement in module.body]
    start = original.index(texts[0])
    for number, statement in enumerate(module.body):
        end = start + len(texts[number])
        nodes = set(nodes_of(statement))
        for mutation in filter(is_telling, visitor.mutations):
            if mutation.original_node in nodes:
                changed = statement.deep_replace(mutation.original_node, mutation.mutated_node)
                yield original[:start] + module.code_for_node(changed) + original[end:]
        start = end


def nodes_of(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    yield node
    for child in node.children:
        yield from nodes_of(child)


def is_telling(mutation: Mutation) -> bool:
    """Whether tests should notice the change. Two kinds are left out.

    The wording of a message is free. A call with one argument less is a TypeError, or the same as
    the argument `None`, which is another mutant.
    """
    before, after = mutation.original_node, mutation.mutated_node
    if isinstance(before, libcst.SimpleString):
        return " " not in before.value and "XX" in after.value
    if isinstance(before, libcst.Call) and isinstance(after, libcst.Call):
        return len(after.args) == len(before.args)
    return True


def change_between(before: list[str], after: list[str]) -> tuple[int, str, str]:
    """The number of the first line that differs, and the lines that do, on both sides."""
    first = next(at for at, (old, new) in enumerate(zip(before, after, strict=False)) if old != new)
    end = 0
    while end < min(len(before), len(after)) - first and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[first : len(before) - end], after[first : len(after) - end]
    return first + 1, " ".join(map(str.strip, old)), " ".join(map(str.strip, new))
