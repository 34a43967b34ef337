"""A real PostgreSQL server that the tests start themselves, on a socket nobody else can reach.

Debian's packages put the programs where ``PATH`` does not look. PostgreSQL does
not run as root: root starts it as the user ``postgres``. Nothing is written to
the disk for good unless ``durable``, so that a fresh server takes two seconds.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["PostgresServer", "missing_programs", "shared_server"]

DATABASE = "sessioneval"
_USER = "postgres"
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# Whoever comes with a password must have the right one; the test's own user needs none.
_ACCESS = "local all with_password scram-sha-256\nlocal all all trust\n"
_TIMEOUT_S = 60


class PostgresServer:
    """A server in a folder of its own; ``url`` names a database in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    def url(self, *, schema: str = "public", user: str = _USER, **settings: str) -> str:
        """Return a URL whose tables are made in that schema; settings are the session's."""
        words = {"search_path": schema, **settings}
        options = "".join(f"%20-c{name}%3D{value}" for name, value in words.items())
        socket = str(self.folder).replace("/", "%2F")
        return (
            f"postgresql://{user}@/{DATABASE}?host={socket}&options={options.removeprefix('%20')}"
        )

    def create(self, *, durable: bool = False) -> None:
        """Make the server's files; raises ``CalledProcessError`` with what was said."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, _USER)
        self.folder.chmod(0o700)
        # An order of text that is not that of bytes, as most servers have.
        locale = ("--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8")
        self._run("initdb", "-D", str(self.data), "-U", _USER, "-E", "UTF8", "--no-sync", *locale)
        (self.data / "pg_hba.conf").write_text(_ACCESS, encoding="utf-8")
        settings = ["listen_addresses=''", f"unix_socket_directories='{self.folder}'"]
        settings += ["max_connections=200", *(() if durable else _QUICK)]
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\n".join(("", *settings, "")))

    def start(self) -> None:
        """Start the server and return when it answers."""
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-t", str(_TIMEOUT_S), "-D", str(self.data), "-l", log)

    def stop(self, how: str = "fast") -> None:
        """Stop the server; ``immediate`` is a crash: nothing is tidied up or written any more."""
        self._run("pg_ctl", "stop", "-w", "-m", how, "-D", str(self.data))

    def execute(self, *statements: str) -> None:
        """Run statements as the server's owner."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def make_database(self) -> None:
        """Make the database that ``url`` names."""
        import psycopg

        url = self.url().replace(f"/{DATABASE}?", "/postgres?")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())

    def _run(self, program: str, *arguments: str) -> None:
        who: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_USER)
            who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": ()}
        # The server inherits no pipe: it would keep it open as long as it runs.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                [_program(program), *arguments],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                timeout=_TIMEOUT_S,
                check=False,
                **who,
            )
            if done.returncode:
                said.seek(0)
                words = said.read().decode(errors="replace")
                raise RuntimeError(f"{program} ended with {done.returncode}: {words}")


def missing_programs() -> str:
    """Return why no server can be started here; empty: one can."""
    try:
        for program in ("initdb", "pg_ctl", "postgres"):
            _program(program)
        if os.geteuid() == 0:
            pwd.getpwnam(_USER)
    except FileNotFoundError as error:
        return f"no PostgreSQL server here ({error}): apt-get install postgresql"
    except KeyError:
        return f"PostgreSQL does not run as root, and there is no user {_USER}"
    return ""


@contextmanager
def shared_server(together: Path) -> Iterator[PostgresServer]:
    """Yield one server for all processes that name the same file; the last one out stops it."""
    with _locked(together) as users:
        if not users["pids"]:
            users["folder"] = tempfile.mkdtemp(prefix="se-pg-")
            server = PostgresServer(Path(users["folder"]))
            server.create()
            server.start()
            server.make_database()
        users["pids"].append(os.getpid())
        folder = Path(users["folder"])
    try:
        yield PostgresServer(folder)
    finally:
        with _locked(together) as users:
            users["pids"].remove(os.getpid())
            users["pids"] = [pid for pid in users["pids"] if _is_alive(pid)]
            if not users["pids"]:
                PostgresServer(folder).stop("immediate")
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(together: Path) -> Iterator[dict[str, Any]]:
    with together.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        users = json.loads(text) if text else {"pids": [], "folder": ""}
        yield users
        file.seek(0)
        file.truncate()
        file.write(json.dumps(users))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        debian: Sequence[Path] = sorted(
            Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
            key=lambda path: float(path.parent.parent.name),
        )
        if not debian:
            raise FileNotFoundError(name)
        found = str(debian[-1])
    return found
