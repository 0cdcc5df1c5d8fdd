"""The tree as the rules see it: its tracked Python files, what each imports, and where."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {"schemas/events.py", "infra/bench/sample/events.py", "tests/pipeline/tiny/events.py"}
"""Written by `schemas.generate`, held to nothing but its output."""


@dataclass(frozen=True, eq=False)
class Source:
    """One Python file."""

    path: str
    """From the root, with slashes."""
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """Its dotted name."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def room(self) -> str:
        """`shared.kafka`, `services.extract`, `shared.ports`: the part of the house it stands in."""
        return ".".join(self.module.split(".")[:2])

    @property
    def tested(self) -> bool:
        """Whether it belongs to the product and not to its tests."""
        return not self.path.startswith("tests/")

    def line(self, node: ast.AST) -> str:
        """The source line on which a node begins."""
        return self.text.splitlines()[getattr(node, "lineno", 1) - 1]

    def at(self, node: ast.AST) -> str:
        """path:line."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Import:
    """One imported module."""

    source: Source
    node: ast.stmt
    target: str
    """Dotted name; of `from a import b` it is `a`, and `a.b` where that is a module of ours."""

    def __str__(self) -> str:
        return f"{self.source.at(self.node)} imports {self.target}"

    def within(self, *packages: str) -> bool:
        """Whether it is one of these packages or below one."""
        return any(self.target == name or self.target.startswith(f"{name}.") for name in packages)


@cache
def tracked() -> tuple[str, ...]:
    """Every file under version control that is there."""
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(name for name in told.split("\0") if name and (ROOT / name).exists())


@cache
def sources() -> tuple[Source, ...]:
    """Every tracked Python file that people write."""
    found = []
    for name in tracked():
        if name.endswith(".py") and name not in GENERATED:
            text = (ROOT / name).read_text("utf-8")
            found.append(Source(name, text, ast.parse(text, name)))
    return tuple(found)


@cache
def product() -> tuple[Source, ...]:
    """Those that are no tests."""
    return tuple(source for source in sources() if source.tested)


@cache
def modules() -> frozenset[str]:
    """Dotted names of all modules and packages of the tree, generated ones included."""
    paths = [name for name in tracked() if name.endswith(".py")]
    return frozenset(name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in paths)


@cache
def imports() -> tuple[Import, ...]:
    """Every import of every source."""
    return tuple(found for source in sources() for found in _imports(source))


def _imports(source: Source) -> Iterator[Import]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(source, node, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(source, node)
            below = [f"{base}.{alias.name}" for alias in node.names if f"{base}.{alias.name}" in modules()]
            for target in below or [base]:
                yield Import(source, node, target)


def _absolute(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = source.module if source.path.endswith("__init__.py") else source.module.rpartition(".")[0]
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


@cache
def functions(source: Source) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
    """Every function and method, nested ones included."""
    return tuple(node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
