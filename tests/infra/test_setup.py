"""What set-up finds missing, and the remedy it names."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.setup import checks, steps


def test_a_machine_that_has_everything_is_not_refused(tmp_path: Path) -> None:
    assert checks.check_ensurepip(True) is None
    assert checks.check_memory(checks.MEMORY_NEEDED) is None
    assert checks.check_memory(None) is None
    assert checks.check_disk(checks.DISK_NEEDED, tmp_path) is None


def test_a_missing_ensurepip_names_the_package_that_has_it() -> None:
    assert "apt install python3." in (checks.check_ensurepip(False) or "")


def test_too_little_memory_names_both_figures() -> None:
    assert "1.0 GiB of memory are available and 2 GiB are needed" in (checks.check_memory(1024**3) or "")


def test_too_little_disk_names_the_place(tmp_path: Path) -> None:
    said = checks.check_disk(1024**3, tmp_path) or ""
    assert "1.0 GiB are free" in said
    assert str(tmp_path) in said
    assert "free some space" in said


def test_the_memory_of_this_machine_is_found_out() -> None:
    assert (checks.available_memory() or 0) > 1024**2


def test_a_package_that_cannot_be_fetched_names_the_index_setting(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("jgo==3.2.0 \\\n    --hash=sha256:00\n")
    broken = ["sh", "-c", "echo 'ERROR: no route to host' >&2; exit 1", "pip"]
    said = checks.check_package_registry(broken, lock, tmp_path) or ""
    assert "pip cannot fetch jgo==3.2.0: ERROR: no route to host" in said
    assert "global.index-url" in said


def test_a_jar_repository_that_does_not_answer_names_the_mirror_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("JGO_CONFIG_FILE", raising=False)
    with zipfile.ZipFile(tmp_path / "jgo-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("jgo/constants.py", 'MAVEN_CENTRAL_URL = "http://127.0.0.1:9/maven"\n')
    said = checks.check_jar_repository(tmp_path) or ""
    assert "http://127.0.0.1:9/maven does not answer" in said
    assert "mirror under [repositories]" in said
    (tmp_path / ".jgorc").touch()
    assert checks.check_jar_repository(tmp_path) is None


def test_one_package_of_the_lock_file_is_found_with_its_digests(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(
        "a==1 \\\n    --hash=sha256:aa\njgo==2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\njgo-x==3\n"
    )
    assert checks.requirement("jgo", lock) == "jgo==2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    with pytest.raises(LookupError, match="does not pin absent"):
        checks.requirement("absent", lock)


def test_every_finding_is_said_at_once() -> None:
    with pytest.raises(steps.SetupFailed, match=r"(?s)not ready:\n  first\n  second"):
        steps.refuse(["first", None, "second"])


def test_progress_counts_packages_and_bytes_of_pips_output() -> None:
    progress = steps.Progress(3)
    for line in (
        "Collecting aiohttp==3.14.5 (from -r requirements.lock)",
        "  Downloading aiohttp-3.14.5.whl (1.9 MB)",
        "Requirement already satisfied: attrs==26.1.0",
        "  Downloading aiosignal-1.4.0.whl.metadata (7 kB)",
        "Collecting weird==1",
    ):
        progress.see(line)
    assert progress.seen == 3
    assert progress.size == pytest.approx(1_907_000)


def test_a_step_that_fails_says_what_it_said() -> None:
    with pytest.raises(steps.SetupFailed, match=r"(?s)no space left.*what is done stays"):
        steps.run([sys.executable, "-c", "import sys; print('no space left'); sys.exit(1)"])


def test_the_lock_files_name_no_registry() -> None:
    for lock in steps.INPUTS:
        assert "://" not in lock.read_text(), lock


def test_an_old_python_says_that_it_is_too_old(tmp_path: Path) -> None:
    shadow = tmp_path / "sitecustomize.py"
    shadow.write_text("import sys\nsys.version_info = (3, 9, 1, 'final', 0)\n")
    done = subprocess.run(
        [sys.executable, "-m", "infra.setup"],
        capture_output=True,
        text=True,
        cwd=steps.ROOT,
        env={"PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1
    assert "runs on Python 3.11 to 3.14, this is 3.9" in done.stderr
    assert "make setup PYTHON=python3.12" in done.stderr
