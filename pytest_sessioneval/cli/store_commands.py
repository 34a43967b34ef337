"""Commands about what the store keeps: the words of their command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from pytest_sessioneval.cli.folders import out_folder

__all__ = ["export_store", "import_store", "runs", "sessions", "show_session", "stats"]

_STORE = click.option(
    "--store", "url", metavar="URL", help="The store; default: that of runs started here."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
_SUITE = click.option("--suite", metavar="NAME", help="Only this suite.")


@click.group(invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most.")
@_JSON
@_STORE
@click.pass_context
def runs(ctx: click.Context, *, limit: int, as_json: bool, url: str | None) -> None:
    """List the latest runs, newest first."""
    if ctx.invoked_subcommand is not None:
        return
    from pydantic import TypeAdapter  # noqa: PLC0415

    from pytest_sessioneval.cli.listings import run_lines  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415
    from pytest_sessioneval.evaluation.abandoned_runs import end_abandoned  # noqa: PLC0415
    from pytest_sessioneval.stores.protocol import RunRow  # noqa: PLC0415

    with named_store(url, home=out_folder(None), must_exist=True) as store:
        end_abandoned(store, datetime.now(UTC))
        found = store.runs(limit)
    if as_json:
        _print_json([TypeAdapter(RunRow).dump_python(row, mode="json") for row in found])
        return
    for line in run_lines(found):
        click.echo(line)


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option("--require-gate", is_flag=True, help="Fail where no gate could decide.")
@_JSON
@click.option("--out", metavar="DIR", help="Where reports are written; default: .sessioneval.")
@_STORE
@click.pass_context
def close(
    ctx: click.Context,
    run_id: str,
    paths: tuple[str, ...],
    *,
    require_gate: bool,
    as_json: bool,
    out: str | None,
    url: str | None,
) -> None:
    """Decide on the shared run ID, with what its parts have kept.

    For a run of `pytest --sessioneval-run-id ID --sessioneval-shard I/N` one of
    whose parts never ended. PATHs are its suites; default: those that its parts
    named. Nobody is asked: a session without a verdict is not scored.
    Exit status: as of `score`.
    """
    from pytest_sessioneval.cli.score import close_run  # noqa: PLC0415

    done = close_run(run_id, paths, url=url, out=out_folder(out), require_gate=require_gate)
    if as_json:
        click.echo(done.json(), nl=False)
    else:
        for line in done.lines():
            click.echo(line)
    ctx.exit(0 if done.scored.held else 1)


@click.command()
@click.option("--status", type=click.Choice(["evaluated", "pending", "stale"]), help="Only these.")
@click.option("--profile", metavar="ID", help="Only sessions of this profile.")
@_SUITE
@click.option("--since", metavar="DATE", help="Only sessions recorded on or after this ISO date.")
@click.option(
    "--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="At most."
)
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out that many first.")
@_JSON
@_STORE
def sessions(*, since: str | None, as_json: bool, url: str | None, **asked: Any) -> None:
    """List sessions with status, thumbs and averages: pinned first, then the last active.

    evaluated: the latest evaluation is by judge and rubric of the suite's last
    run, on the transcript as it is, and of every expert. stale: it is not.
    pending: there is none.
    """
    from pytest_sessioneval.cli.listings import (  # noqa: PLC0415
        current_of,
        listed_json,
        moment,
        session_lines,
    )
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415
    from pytest_sessioneval.stores.listings import SessionQuery  # noqa: PLC0415

    query = SessionQuery(since=None if since is None else moment(since), **asked)
    with named_store(url, home=out_folder(None), must_exist=True) as store:
        listed = store.list_sessions(query, current_of(store))
    if as_json:
        _print_json(listed_json(listed))
        return
    for line in session_lines(listed, query):
        click.echo(line)


@click.command("show")
@click.argument("session_id", metavar="ID")
@_JSON
@_STORE
def show_session(session_id: str, *, as_json: bool, url: str | None) -> None:
    """Print all that is kept of the session ID: every expert's opinion, every thumb."""
    from pytest_sessioneval.cli.listings import detail_lines, found_detail  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415

    with named_store(url, home=out_folder(None), must_exist=True) as store:
        detail = found_detail(store, session_id)
    if as_json:
        _print_json(detail.model_dump(mode="json"))
        return
    for line in detail_lines(detail):
        click.echo(line)


@click.command()
@click.option(
    "--days", type=click.IntRange(1, 365), default=30, show_default=True, help="How far back."
)
@click.option("--by-bucket", is_flag=True, help="Also by the sessions' complexity.")
@_SUITE
@_JSON
@_STORE
def stats(*, days: int, by_bucket: bool, suite: str | None, as_json: bool, url: str | None) -> None:
    """Print weekly averages over sessions evaluated by today's judge and rubric.

    Today's are those of each suite's last run. A session counts once, in the
    week of its latest evaluation.
    """
    from datetime import UTC, datetime  # noqa: PLC0415

    from pytest_sessioneval.cli.listings import stats_lines, stats_of  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415

    with named_store(url, home=out_folder(None), must_exist=True) as store:
        found = stats_of(store, suite=suite, days=days, by_bucket=by_bucket, now=datetime.now(UTC))
    if as_json:
        _print_json(found.model_dump(mode="json"))
        return
    for line in stats_lines(found):
        click.echo(line)


@click.command("export")
@_STORE
def export_store(*, url: str | None) -> None:
    """Print all that the store keeps, as JSON Lines for `sessioneval import`."""
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415
    from pytest_sessioneval.cli.transfer import exported  # noqa: PLC0415

    with named_store(url, home=out_folder(None), must_exist=True) as store:
        for line in exported(store):
            click.echo(line)


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_STORE
def import_store(files: tuple[str, ...], *, url: str | None) -> None:
    """Keep what FILEs of `sessioneval export` hold, beside what the store has.

    A line that is not accepted keeps all of it out.
    """
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415
    from pytest_sessioneval.cli.transfer import imported  # noqa: PLC0415

    with named_store(url, home=out_folder(None)) as store:
        for line in imported(store, files):
            click.echo(line)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2))
