"""What set-up asks of a machine before it downloads: a check gives None, or what is missing and its remedy."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

GIB = 1024**3
MEMORY_NEEDED = 2 * GIB
DISK_NEEDED = 3 * GIB
NETWORK_SECONDS = 20


def check_ensurepip(present: bool) -> str | None:
    """Debian and Ubuntu ship a Python that cannot make virtual environments."""
    if present:
        return None
    minor = ".".join(platform.python_version_tuple()[:2])
    return (
        f"this Python has no `ensurepip`, so no virtual environment can be made: apt install python{minor}-venv "
        "(or python3-venv), then repeat"
    )


def check_memory(available: int | None) -> str | None:
    """Kafka, PostgreSQL and a dozen service processes need room; None means that it could not be found out."""
    if available is None or available >= MEMORY_NEEDED:
        return None
    return (
        f"{available / GIB:.1f} GiB of memory are available and {MEMORY_NEEDED / GIB:.0f} GiB are needed: "
        "close other programs, or give the machine or container more"
    )


def check_disk(free: int, folder: Path) -> str | None:
    """The environment takes about 1 GB, the downloads as much again for a while, Kafka's logs the rest."""
    if free >= DISK_NEEDED:
        return None
    return (
        f"{free / GIB:.1f} GiB are free where {folder} lies and {DISK_NEEDED / GIB:.0f} GiB are needed: "
        "free some space, or move the checkout to another disk"
    )


def check_machine(root: Path) -> list[str]:
    """Run every check that needs no network."""
    findings = (
        check_ensurepip(importlib.util.find_spec("ensurepip") is not None),
        check_memory(available_memory()),
        check_disk(shutil.disk_usage(root).free, root),
    )
    return [finding for finding in findings if finding]


def available_memory() -> int | None:
    """Give the bytes of memory that programs could have, the container's limit considered; None if unknown."""
    if platform.system() == "Darwin":
        said = subprocess.run(["sysctl", "-n", "hw.memsize"], capture_output=True, text=True, check=False).stdout
        return int(said) if said.strip().isdigit() else None
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    except OSError:
        return None
    limits = [int(found.group(1)) * 1024] if found else []
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.exists() and limit.read_text().strip().isdigit():
        limits.append(int(limit.read_text()))
    return min(limits, default=None)


def check_package_registry(pip: list[str], lock: Path, scratch: Path) -> str | None:
    """Fetch the one small package by which the jars' repository is known, through whatever pip is configured with."""
    pinned = requirement("jgo", lock)
    wanted = scratch / "probe.txt"
    wanted.write_text(pinned)
    fetch = ["download", "--quiet", "--no-deps", "--require-hashes", "--dest", str(scratch), "-r", str(wanted)]
    done = subprocess.run([*pip, *fetch], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return (
        f"pip cannot fetch {pinned.split()[0]}: {last}. Check the network and its proxy (https_proxy), "
        "or name your index with `pip config set global.index-url URL`"
    )


def check_jar_repository(scratch: Path) -> str | None:
    """Ask the repository that jgo would use whether it is there; a mirror in jgo's configuration is left to jgo."""
    configured = (os.environ.get("JGO_CONFIG_FILE", ""), Path.home() / ".config" / "jgo.conf", Path.home() / ".jgorc")
    if any(str(path) and Path(path).exists() for path in configured):
        return None
    address = jar_repository(next(scratch.glob("jgo-*.whl")))
    try:
        urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=NETWORK_SECONDS).close()
    except urllib.error.HTTPError:
        return None  # it answered, and that is all that was asked
    except OSError as error:
        if isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
            return None  # this Python knows fewer authorities than the one that will fetch
        return (
            f"the Maven repository at {address} does not answer: {error}. Check the network and its proxy "
            "(https_proxy), or name a mirror under [repositories] in jgo's configuration file"
        )
    return None


def requirement(name: str, lock: Path) -> str:
    """Give the lines of one package in a lock file."""
    found = re.search(rf"^{re.escape(name)}==.*?(?=^\S|\Z)", lock.read_text(), re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(f"{lock} does not pin {name}")
    return found.group()


def jar_repository(wheel: Path) -> str:
    """Read from jgo's own wheel where it fetches from, so that no address is kept here."""
    with zipfile.ZipFile(wheel) as archive:
        constants = archive.read("jgo/constants.py").decode()
    found = re.search(r'^MAVEN_CENTRAL_URL = "(.+)"', constants, re.MULTILINE)
    if found is None:
        raise LookupError(f"{wheel.name} names no repository")
    return found.group(1)
