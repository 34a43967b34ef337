"""``sessioneval feedback``: the words of its command line."""

from __future__ import annotations

import json

import click

from pytest_sessioneval.cli.folders import out_folder

__all__ = ["feedback"]

_STORE = click.option(
    "--store", "url", metavar="URL", help="The store; default: that of runs started here."
)
_SESSION = click.option(
    "--session", "sessions", multiple=True, metavar="ID", help="Only this session; repeatable."
)


@click.group()
def feedback() -> None:
    """Keep people's thumbs on messages.

    A thumb is up (1) or down (-1), on one message of one session. A second
    rating of the same message replaces the first. Thumbs are evidence of how
    good the judge is; they are never averaged into a score.
    """


# -1 is a rating here and no option.
@feedback.command(context_settings={"ignore_unknown_options": True})
@click.argument("session_id", metavar="SESSION")
@click.argument("message_index", metavar="MESSAGE", type=click.IntRange(0, 2**31 - 1))
@click.argument("rating", type=click.Choice(["up", "down", "1", "-1"]))
@click.option("--comment", default="", help="What the person wrote with it.")
@_STORE
def add(session_id: str, message_index: int, rating: str, *, comment: str, url: str | None) -> None:
    """Keep a thumb on message MESSAGE (from 0) of SESSION."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from pytest_sessioneval.cli.feedback import add as keep  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415
    from pytest_sessioneval.suites.model import FeedbackEntry  # noqa: PLC0415

    entry = FeedbackEntry(
        session_id=session_id,
        message_index=message_index,
        rating=1 if rating in {"up", "1"} else -1,
        comment=comment,
        at=datetime.now(UTC),
    )
    with named_store(url, home=out_folder(None)) as store:
        click.echo(keep(store, entry))


@feedback.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_STORE
def import_(files: tuple[str, ...], *, url: str | None) -> None:
    """Keep the thumbs of FILEs, JSON Lines as `[suite] feedback` names them.

    A line is an object with session_id, message_index, rating (1 or -1) and, if
    wished, comment and at. A line that is not accepted keeps all of it out.
    """
    from pytest_sessioneval.cli.feedback import import_files  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415

    with named_store(url, home=out_folder(None)) as store:
        for line in import_files(store, files):
            click.echo(line)


@feedback.command("list")
@_SESSION
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@_STORE
def list_(sessions: tuple[str, ...], *, as_json: bool, url: str | None) -> None:
    """Print the thumbs there are."""
    from pytest_sessioneval.cli.feedback import as_table  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415

    with named_store(url, home=out_folder(None), must_exist=True) as store:
        entries = store.feedback(list(sessions) or None)
    if as_json:
        click.echo(json.dumps([entry.model_dump(mode="json") for entry in entries], indent=2))
        return
    for line in as_table(entries):
        click.echo(line)


@feedback.command()
@click.argument("run", metavar="PATH")
@click.option("--suite", metavar="NAME", help="Which suite, in a report of several.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@_STORE
@click.option(
    "--out", metavar="DIR", help="The folder with runs/; default: the nearest .sessioneval."
)
def validity(
    run: str, *, suite: str | None, as_json: bool, url: str | None, out: str | None
) -> None:
    """Hold the judge of a run against people's thumbs.

    PATH is a suite's folder, whose latest run is taken, a report.json or the id
    of a run. Per axis, how often a session with thumbs up scores higher than one
    with thumbs down; and whether judge and people object to the same messages.
    """
    from pathlib import Path  # noqa: PLC0415

    from pytest_sessioneval.cli.feedback_validity import (  # noqa: PLC0415
        circular,
        suite_validity,
        validity_lines,
    )
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415
    from pytest_sessioneval.evaluation.reported import (  # noqa: PLC0415
        reported_suite,
        thumbs_on,
    )

    folder = out_folder(out)
    with named_store(url, home=folder, must_exist=True) as store:
        option = "feedback validity"
        found = reported_suite(run, suite=suite, option=option, out=folder, store=store)
        told = suite_validity(found, thumbs_on(found, run, store))
    if as_json:
        click.echo(told.model_dump_json(indent=2))
        return
    for line in validity_lines(told, found.suite):
        click.echo(line)
    warning = circular(Path(run)) if Path(run).is_dir() else ""
    if warning:
        click.echo(warning)


@feedback.command()
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@_SESSION
@_STORE
def export(form: str, *, sessions: tuple[str, ...], url: str | None) -> None:
    """Print the thumbs as a feedback file, or as CSV for a spreadsheet."""
    from pytest_sessioneval.cli.feedback import as_csv, as_json_lines  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415

    with named_store(url, home=out_folder(None), must_exist=True) as store:
        entries = store.feedback(list(sessions) or None)
    click.echo(as_csv(entries) if form == "csv" else as_json_lines(entries), nl=False)
