"""The steps of set-up: environment, packages, project, jars. Each may be interrupted and repeated."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.setup import checks

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "share" / "penstock" / "stamp"
UNFINISHED = VENV / "share" / "penstock" / "unfinished"
INPUTS = (LOCK, ROOT / "pyproject.toml", ROOT / "infra" / "local" / "parts" / "kafka.lock.toml")
PIP = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input"]
PROGRESS_SECONDS = 2.0
UNITS = {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}


class SetupFailed(Exception):
    """Set-up cannot go on; the text says why and what to do."""


def set_up() -> None:
    """Bring `.venv` up to the lock files; where that was done before, notice it and do nothing."""
    if is_current():
        return
    began = time.monotonic()
    say("checking Python, ensurepip, memory and disk")
    refuse(checks.check_machine(ROOT))
    make_environment()
    say("checking the package registries")
    check_registries()
    install_packages()
    say("installing the project itself")
    run([*PIP, "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    run([str(PYTHON), "-m", "infra.setup.jars"], on_line=say)
    STAMP.parent.mkdir(parents=True, exist_ok=True)
    STAMP.write_text(fingerprint())
    say(f"done in {time.monotonic() - began:.0f} s; {VENV.name} takes {size_of(VENV) / 1e6:.0f} MB")


def is_current() -> bool:
    """Tell whether set-up has already been done for these lock files, this place and this Python."""
    return STAMP.exists() and PYTHON.exists() and STAMP.read_text() == fingerprint()


def fingerprint() -> str:
    """Give the digest of everything the result depends on; the place is part of it, as environments cannot be moved."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for file in INPUTS:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def make_environment() -> None:
    """Make the virtual environment, anew where it is half made or of another Python."""
    probe = "import sys, pip; print(*sys.version_info[:2])"
    if PYTHON.exists() and not UNFINISHED.exists():
        said = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True, check=False).stdout
        if said.split() == [str(number) for number in sys.version_info[:2]]:
            return
    say(f"making {VENV.name} with Python {sys.version_info[0]}.{sys.version_info[1]}")
    run([sys.executable, "-m", "venv", "--clear", str(VENV)])


def check_registries() -> None:
    """Refuse to go on when a registry cannot be reached."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        refuse([checks.check_package_registry(PIP, LOCK, scratch)])
        refuse([checks.check_jar_repository(scratch)])


def install_packages() -> None:
    """Install every pinned package, each checked against its digests, and tell how far it is."""
    total = len(re.findall(r"^\S+==", LOCK.read_text(), re.MULTILINE))
    say(f"installing up to {total} packages (about 300 MB to download the first time)")
    progress = Progress(total)

    def see(line: str) -> None:
        progress.see(line)
        # A package that pip was copying when it was killed may look complete to the next pip.
        if line.startswith("Installing collected packages"):
            UNFINISHED.parent.mkdir(parents=True, exist_ok=True)
            UNFINISHED.touch()
            say("unpacking and compiling")

    # The lock file names every package, so there is nothing to resolve.
    install = ["install", "--require-hashes", "--no-deps", "--progress-bar", "off", "-r", str(LOCK)]
    run([*PIP, *install], on_line=see)
    UNFINISHED.unlink(missing_ok=True)
    say(f"{progress.seen} packages, {progress.size / 1e6:.0f} MB downloaded")


class Progress:
    """Reads pip's output and tells from time to time how far it is."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._told = 0.0
        self.seen = 0
        self.size = 0.0

    def see(self, line: str) -> None:
        """Take note of one line of pip's output."""
        if line.startswith(("Collecting ", "Requirement already satisfied")):
            self.seen += 1
        elif found := re.match(r"\s*Downloading .*\(([\d.]+) (bytes|kB|MB|GB)\)", line):
            self.size += float(found.group(1)) * UNITS[found.group(2)]
        if time.monotonic() - self._told > PROGRESS_SECONDS and self.seen:
            self._told = time.monotonic()
            say(f"  {self.seen} of {self._total} packages, {self.size / 1e6:.0f} MB")


def run(command: list[str], on_line: Callable[[str], None] = lambda line: None) -> None:
    """Run a command to its end, handing on its lines; raise with the last of them if it fails."""
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            for line in process.stdout or ():
                said.append(line.rstrip())
                on_line(line.rstrip())
        except KeyboardInterrupt:
            process.terminate()
            raise
    if process.returncode != 0:
        reason = "\n  ".join(said[-15:])
        raise SetupFailed(
            f"`{' '.join(command[1:5])} …` failed:\n  {reason}\n  Mend that and repeat; what is done stays."
        )


def refuse(findings: Sequence[str | None]) -> None:
    """Stop when a check has found something."""
    if missing := [finding for finding in findings if finding]:
        raise SetupFailed("\n  ".join(["this machine is not ready:", *missing]))


def size_of(folder: Path) -> int:
    """Give the bytes a folder takes."""
    return sum(file.stat(follow_symlinks=False).st_size for file in folder.rglob("*") if not file.is_dir())


def say(line: str) -> None:
    """Tell the person who waits."""
    width = shutil.get_terminal_size().columns if os.isatty(1) else 200
    print(f"set-up: {line}"[: width - 1], flush=True)
