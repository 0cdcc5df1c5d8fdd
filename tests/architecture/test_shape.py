"""What every file looks like: short, documented, free of broad excepts, of hidden imports and of the machine."""

import ast
import re
from pathlib import PurePosixPath

import pytest

from tests.architecture.source import ROOT, Source, functions, product, sources, tracked

TOP = {"services", "schemas", "shared", "infra", "tests", "docker-compose.yml", "Makefile", "README.md"}
TOOLS = {"pyproject.toml", "requirements.lock", ".ci", "LICENSE", "CHANGELOG.md"}
"""What tools demand at the root; dot files besides."""

BROAD = {
    "shared/runtime/engine.py",
    "shared/runtime/flow/layers.py",
    "shared/kafka/calls.py",
    "shared/observe/tracing/outbox.py",
    "shared/observe/tracing/spans.py",
}
"""Where whatever comes may be caught and kept: around a thread, which has no caller, around a handler, and around a
pipeline's own function that is asked only for a trace."""
VERBS = "shared/cli/verbs/"
"""A command's options are its function's parameters, as many as a person may type."""

LINES = 300
FUNCTION_LINES = 40
PARAMETERS = 7

MACHINE = (
    r"(?<![\w.])/(?:work|home|root|Users)/[\w.-]+",
    r"files\.pythonhosted\.org",
    r"(?:test\.)?pypi\.org",
    r"repo\d*\.maven\.(?:apache\.)?org",
    r"registry\.npmjs\.org",
    r"proxy\.golang\.org",
    r"--(?:extra-)?index-url",
)
"""Paths of the machine the tree was written on, and hosts that a mirror takes the place of elsewhere."""
IN_CONTAINERS = ("/home/penstock",)
BINARY = {".pdf", ".docx", ".png", ".jpg", ".jar"}


def refused(found: list[str], remedy: str) -> None:
    assert not found, f"{remedy}:\n" + "\n".join(found)


def test_the_root_holds_only_what_belongs_there() -> None:
    entries = {PurePosixPath(name).parts[0] for name in tracked()}
    strangers = {name for name in entries - TOP - TOOLS if not name.startswith(".")}
    refused(sorted(strangers), "put these into services, schemas, shared, infra or tests")


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    long = [f"{s.path}: {n} lines" for s in sources() if (n := len(s.text.splitlines())) > LINES]
    refused(long, f"split what is longer than {LINES} lines at a noun")


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{source.at(node)} {node.name}: {lines} lines"
        for source in product()
        for node in functions(source)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    ]
    refused(long, f"split what is longer than {FUNCTION_LINES} lines")


def test_no_function_takes_more_than_a_reader_can_name() -> None:
    many = [
        f"{source.at(node)} {node.name}: {count} parameters"
        for source in product()
        if not source.path.startswith(VERBS)
        for node in functions(source)
        if (count := len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)) > PARAMETERS
    ]
    refused(many, f"beyond {PARAMETERS} parameters, self included, a frozen dataclass says it better")


def test_every_module_and_everything_public_says_what_it_is() -> None:
    silent = [f"{s.path} (module)" for s in product() if s.tree.body and not ast.get_docstring(s.tree)]
    silent += [f"{s.at(n)} {n.name}" for s in product() for n in public(s.tree) if not ast.get_docstring(n)]
    refused(silent, "give each a first line that says in one sentence what it is")


def public(
    tree: ast.Module | ast.ClassDef,
) -> list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public classes and functions, and public methods of public classes unless they are only declared."""
    found: list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = []
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            found += [node, *public(node)]
        elif not declared(node):
            found.append(node)
    return found


def declared(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is only declared: the body of an overload, or of a protocol's accessor whose type says it all."""
    [first, *more] = node.body
    return (
        not more and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.value.value is ...
    )


def test_nothing_is_imported_inside_a_function() -> None:
    hidden = [
        source.at(node)
        for source in product()
        for function in functions(source)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and "lazy:" not in source.line(node)
    ]
    refused(sorted(set(hidden)), "import at the top; only where starting would be slow, with a comment `lazy: why`")


def test_whatever_comes_is_caught_in_the_named_places_only() -> None:
    broad = [
        source.at(node)
        for source in product()
        if source.path not in BROAD
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and catches_all(node.type) and not raises_again(node)
    ]
    refused(broad, "name the errors you expect: the runtime's layer catches the rest")


def catches_all(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(k is None or (isinstance(k, ast.Name) and k.id in ("Exception", "BaseException")) for k in kinds)


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether what it does not know goes on: it cleans up, or takes out a few errors, and raises."""
    return any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))


def test_nothing_is_left_to_be_done() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError")
    refused([s.path for s in product() if marks.search(s.text)], "finish it, or take it out")


def test_no_name_hides_what_a_thing_does() -> None:
    hollow = re.compile(r"(Manager|Helper|Utils?|Base|Abstract)$|^(Base|Abstract)[A-Z]")
    found = [
        f"{source.at(node)} {node.name}"
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and hollow.search(node.name)
    ]
    refused(found, "call it what it is")


@pytest.mark.parametrize("pattern", MACHINE)
def test_no_file_speaks_of_the_machine_it_was_written_on(pattern: str) -> None:
    mine, found = "tests/architecture/test_shape.py", []
    for name in tracked():
        if name == mine or PurePosixPath(name).suffix in BINARY:
            continue
        text = (ROOT / name).read_text("utf-8", "replace")
        found += [f"{name}: {hit}" for hit in re.findall(pattern, text) if hit not in IN_CONTAINERS]
    refused(found, "the tree must work on any machine, behind any mirror")


def every_test() -> list[tuple[Source, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every test function."""
    return [
        (source, node)
        for source in sources()
        if not source.tested and PurePosixPath(source.path).name.startswith("test_")
        for node in functions(source)
        if node.name.startswith("test_")
    ]


def test_no_test_sleeps() -> None:
    refused(
        [source.at(node) for source, test in every_test() for node in ast.walk(test) if sleeps(node)],
        "wait for a condition with a deadline",
    )


def sleeps(node: ast.AST) -> bool:
    """A call of some `sleep` for longer than no time at all."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name == "sleep" and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)


def test_every_test_asserts_something() -> None:
    refused(
        [f"{source.at(test)} {test.name}" for source, test in every_test() if not asserts(test, source)],
        "a test that cannot fail tests nothing",
    )


def asserts(function: ast.AST, source: Source, depth: int = 0) -> bool:
    """An assert, an expected error, or a call of one of the file's own functions that has one."""
    own = {f.name: f for f in functions(source)}
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) or (
            isinstance(node, ast.Attribute) and node.attr in ("raises", "fail", "warns")
        ):
            return True
        if isinstance(node, ast.Call) and depth < 3:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            # Helpers of other files say in their name that they check, wait or expect.
            if re.match(r"(assert|expect|check|until|wait|refused|eventually)", name):
                return True
            if name in own and own[name] is not function and asserts(own[name], source, depth + 1):
                return True
    return False
