"""The README's commands, run in its order on one installation, print what it shows."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bench.homes import temporary_home
from tests.docs.readme import ROOT, Step, steps
from tests.pipeline.live.installation import NOBODY

LOOKS = (["status"], ["ps"], ["results"], ["breakers"], ["dlq", "list"], ["review", "list"])
"""Verbs that change nothing: a reader repeats them until what is on its way has arrived."""
SECONDS = 90.0
"""The longest wait: a retry topic's minute, where the machine is too busy to come back within five seconds."""


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """A folder that looks like the checkout, in which state may be left; what runs in it is ended."""
    with temporary_home() as folder:
        for name in ("infra", "schemas", "tests"):
            (folder / name).symlink_to(ROOT / name)
        yield folder
        run(Step(0, "console", "penstock down"), folder)


def run(step: Step, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run it as a reader would, with the commands of this environment and no setting of whoever runs the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["/bin/sh", "-c", step.text] if step.kind == "console" else [sys.executable, "-c", step.text]
    environment = {**own, **NOBODY, "PATH": path, "PYTHONWARNINGS": "default"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def repeatable(step: Step) -> bool:
    """Whether running it again changes nothing."""
    words = shlex.split(step.text) if step.kind == "console" else []
    arguments = [word for word in words[1:] if not word.startswith("-")]
    return words[:1] == ["penstock"] and any(
        arguments[: len(verb)] == verb and (verb == ["status"] or len(arguments) == len(verb)) for verb in LOOKS
    )


def test_every_command_does_what_the_readme_shows(checkout: Path) -> None:
    ran = 0
    for step in steps():
        deadline = time.monotonic() + SECONDS
        done = run(step, checkout)
        while repeatable(step) and not step.agrees(done.stdout) and time.monotonic() < deadline:
            done = run(step, checkout)
        told = f"README.md:{step.line}: {step.text}\n{done.stdout}{done.stderr}"
        # 3: partly done, where a sample that cannot be read was published with others.
        assert done.returncode in (0, 3), told
        assert step.agrees(done.stdout), f"{told}\nshown is {step.shown}"
        ran += 1
    assert ran > 20
