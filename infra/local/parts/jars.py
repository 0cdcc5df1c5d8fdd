"""The jars of Apache Kafka: pinned in `kafka.lock.toml`, fetched by `jgo` from Maven coordinates, checked by digest.

Only what the lock file names is ever fetched, so nothing is resolved on the user's machine: no POM is read there.
`python -m infra.setup.jars --lock` resolves the coordinates anew and rewrites the lock file.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.env import LockedDependency, LockFile
from jgo.maven import Dependency, MavenContext

from infra.local.processes import LocalError

# The logging binding is no dependency of Kafka's: without it the broker would write no log at all.
COORDINATES = ("org.apache.kafka:kafka_2.13:4.4.0", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5")
LOCK = Path(__file__).with_name("kafka.lock.toml")
STORE = Path(sys.prefix) / "share" / "penstock"
TIMEOUT_SECONDS = 60
PARALLEL = 6


def class_path(report: Callable[[str], None] = lambda line: None) -> str:
    """Give the class path of Kafka, fetching first what is missing."""
    jars = [(locked, _jar_of(locked)) for locked in LockFile.load(LOCK).dependencies]
    missing = [(locked, jar) for locked, jar in jars if not jar.exists()]
    if missing:
        _fetch_all(missing, report)
    return ":".join(str(jar) for _, jar in jars)


def _jar_of(locked: LockedDependency) -> Path:
    return STORE / "jars" / f"{locked.artifactId}-{locked.version}.jar"


def _fetch_all(missing: list[tuple[LockedDependency, Path]], report: Callable[[str], None]) -> None:
    context = MavenContext(
        repo_cache=STORE / "downloads",
        # A mirror configured for jgo is asked first.
        remote_repos={**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL},
        timeout=TIMEOUT_SECONDS,
    )
    report(f"fetching {len(missing)} jars of Apache Kafka")
    fetched = 0
    with ThreadPoolExecutor(PARALLEL) as pool:
        for size in pool.map(lambda pair: _fetch(context, *pair), missing):
            fetched += size
    report(f"fetched {len(missing)} jars, {fetched / 1e6:.0f} MB")


def _fetch(context: MavenContext, locked: LockedDependency, jar: Path) -> int:
    """Fetch one jar; it gets its final name only after its digest was checked, so an interrupted fetch starts again."""
    name = f"{locked.groupId}:{locked.artifactId}:{locked.version}"
    artifact = context.project(locked.groupId, locked.artifactId).at_version(locked.version).artifact()
    if artifact.cached_path is not None:
        artifact.cached_path.unlink(missing_ok=True)
    try:
        content = artifact.resolve().read_bytes()
    except (OSError, RuntimeError, requests.RequestException) as error:
        raise LocalError(
            f"cannot fetch {name} from the Maven repository: {error}. Check the network and its proxy settings "
            "(https_proxy), or name a mirror under [repositories] in jgo's configuration file, and repeat."
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != locked.sha256:
        raise LocalError(
            f"{name} has the SHA-256 digest {digest}, the lock file says {locked.sha256}: the repository or a proxy "
            "on the way gave another file. Nothing was installed."
        )
    jar.parent.mkdir(parents=True, exist_ok=True)
    artifact.resolve().replace(jar)
    return len(content)


def write_lock() -> None:
    """Resolve the coordinates and pin what they need, the first one's choice of versions winning."""
    context = MavenContext(repo_cache=STORE / "downloads", timeout=TIMEOUT_SECONDS)
    chosen: dict[tuple[str, str], Dependency] = {}
    for coordinate in COORDINATES:
        # Resolved one by one: together, the logging project's version table would override Kafka's own versions.
        inputs, transitive = context.resolver.resolve([context.create_dependency(coordinate)])
        for dependency in [*inputs, *transitive]:
            chosen.setdefault((dependency.groupId, dependency.artifactId), dependency)
    ordered = [chosen[key] for key in sorted(chosen)]
    LockFile.from_resolved_dependencies(ordered, environment_name="kafka", min_java_version=17).save(LOCK)
