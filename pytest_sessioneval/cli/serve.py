"""Starts the REST service and says how to reach it."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_sessioneval.cli.folders import out_folder
from pytest_sessioneval.cli.judging import named_judge
from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.settings import settings_in
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.stores.opening import DEFAULT_STORE

if TYPE_CHECKING:
    from pytest_sessioneval.evaluation.session_source import ServedSuite

__all__ = ["ServeRequest", "run_server", "token_of"]

TOKEN = "SESSIONEVAL_TOKEN"  # noqa: S105 - the variable's name
_PROBLEMS_NAMED = 5


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """What was typed."""

    folders: tuple[str, ...]
    host: str
    port: int
    hosts: tuple[str, ...]
    no_token: bool
    judge: str | None
    concurrency: int
    embedding_model: str | None
    scoring_workers: int
    max_calls: int | None
    max_cost: float | None
    out: str | None
    url: str | None


def run_server(asked: ServeRequest) -> None:
    """Serve until Ctrl-C or SIGTERM; raises ``UsageError`` and ``StoreError`` before it begins."""
    try:
        from pytest_sessioneval.server.application import create_app  # noqa: PLC0415
        from pytest_sessioneval.server.service import (  # noqa: PLC0415
            ServiceSettings,
            open_service,
        )
        from pytest_sessioneval.server.serving import serve_on  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingError(
            f"serve: FastAPI and uvicorn are needed ({error}): "
            "pip install 'pytest-sessioneval[server]'"
        ) from None
    token, made = token_of(os.environ, no_token=asked.no_token, host=asked.host)
    folder = out_folder(asked.out)
    environment = settings_in(os.environ)
    settings = ServiceSettings(
        folders=tuple(map(Path, asked.folders)),
        store=asked.url or os.environ.get("SESSIONEVAL_STORE") or DEFAULT_STORE,
        home=out_folder(None).parent,
        out=folder,
        environ=os.environ,
        judge=named_judge(asked.judge),
        evaluation=replace(
            environment,
            concurrency=asked.concurrency,
            max_calls=asked.max_calls,
            max_cost_usd=asked.max_cost,
            embedding_model=asked.embedding_model or environment.embedding_model,
        ),
        scoring_workers=asked.scoring_workers,
    )
    with open_service(settings) as service, _listening(asked.host, asked.port) as listening:
        for suite in service.sessions.now():
            if settings.judge is not None and suite.versions is None and suite.problem:
                where = "--judge" if asked.judge else "SESSIONEVAL_JUDGE"
                raise SettingError(f"{where} {settings.judge}: {suite.problem}")
            for line in _said_of(suite):
                click.echo(line)
        hosts = _hosts(asked)
        app = create_app(service, token=token, hosts=hosts)
        port = listening.getsockname()[1]
        shown = f"[{asked.host}]" if ":" in asked.host else asked.host

        def started() -> None:
            click.echo(f"listening on http://{shown}:{port} (Ctrl-C ends it)")
            if made:
                click.echo(f"token: {token} (made for this start; set {TOKEN} to choose one)")
            if not token:
                click.echo("no token is asked for: every program on this machine may call")

        serve_on(app, listening, started=started)
    click.echo("ended")


def token_of(environ: Mapping[str, str], *, no_token: bool, host: str) -> tuple[str | None, bool]:
    """Return the token that callers show, and whether it was made for this start.

    None: nobody is asked for one. Raises ``SettingError`` for a token that no
    header can hold, and for none beyond loopback.
    """
    given = environ.get(TOKEN)
    if no_token:
        if not _is_loopback(host):
            raise SettingError(
                f"--no-token: {host} can be reached from other machines, and everybody there "
                "could read sessions and start runs; leave --no-token out, or listen on 127.0.0.1"
            )
        return None, False
    if given is None:
        return secrets.token_urlsafe(24), True
    if not given or not given.isascii() or not given.isprintable() or " " in given:
        raise SettingError(
            f"{TOKEN}: it is empty or holds what no header can; accepted are visible ASCII "
            "characters without spaces, such as those of `openssl rand -hex 24`"
        )
    return given, False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _hosts(asked: ServeRequest) -> set[str]:
    """Return the names that callers may use; raises ``SettingError``."""
    from pytest_sessioneval.server.access import LOOPBACK_HOSTS, host_name  # noqa: PLC0415

    names = set(LOOPBACK_HOSTS)
    for typed in asked.hosts:
        name = host_name(f"[{typed}]" if typed.count(":") > 1 and "[" not in typed else typed)
        if name is None:
            raise SettingError(
                f"--allow-host: {typed!r} is no host name; give it without scheme and path, "
                "such as sessions.example.org"
            )
        names.add(name)
    everywhere = asked.host in {"0.0.0.0", "::", ""}  # noqa: S104 - compared, not listened on
    if not everywhere:
        names.add(asked.host.lower())
    elif not asked.hosts:
        known = ", ".join(sorted(names))
        click.echo(f"callers reach it as {known} only: name others with --allow-host", err=True)
    return names


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0
        why = os.strerror(number) if number > 0 else "it is no address of this machine"
        raise SettingError(
            f"--host {host} --port {port}: cannot be listened on: {why}; choose another --port, "
            "or an address of this machine"
        ) from None
    with listening:
        yield listening


def _said_of(served: ServedSuite) -> Iterator[str]:
    """Yield what a folder holds, and what of it cannot be used."""
    name = f"suite {served.suite.name}"
    sources = served.sources
    others = len(sources.not_sessions)
    holds = "holds" if others == 1 else "hold"
    beside = f"; {counted(others, 'JSON file')} {holds} none" if others else ""
    yield one_line(f"{name}: {counted(len(served.members), 'session')}{beside}")
    if served.problem:
        yield one_line(f"{name}: {served.problem}")
    for problem in sources.problems[:_PROBLEMS_NAMED]:
        line = "" if problem.line is None else f":{problem.line}"
        yield one_line(f"{name}: {problem.path}{line} cannot be read: {problem.reason}")
    if len(sources.problems) > _PROBLEMS_NAMED:
        yield f"{name}: … and {len(sources.problems) - _PROBLEMS_NAMED} more that cannot be read"
