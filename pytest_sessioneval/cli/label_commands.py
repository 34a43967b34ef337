"""``sessioneval label`` and ``label-queue``: the words of their command lines."""

from __future__ import annotations

import json

import click

from pytest_sessioneval.cli.folders import out_folder

__all__ = ["label", "label_queue"]

_STORE = click.option(
    "--store", "url", metavar="URL", help="The store; default: that of runs started here."
)
_OUT = click.option(
    "--out", metavar="DIR", help="The folder with runs/; default: the nearest .sessioneval."
)
_AXES = click.option(
    "--axis", "axes", multiple=True, metavar="NAME", help="An axis to label; repeatable."
)


@click.command("label-queue")
@click.argument("run", metavar="PATH")
@click.option(
    "-n", "count", type=click.IntRange(1), default=40, show_default=True, help="How many sessions."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another draw.")
@_AXES
@click.option("--again", metavar="QUEUE", help="The sessions that QUEUE drew, as recorded now.")
@click.option("--diagnostic", is_flag=True, help="Those on which people and judge disagree.")
@click.option("--to", metavar="FILE", help="The form; default: labels-QUEUE.jsonl.")
@click.option("--suite", metavar="NAME", help="Which suite, in a report of several.")
@_STORE
@_OUT
def label_queue(
    run: str,
    *,
    count: int,
    seed: int,
    axes: tuple[str, ...],
    again: str | None,
    diagnostic: bool,
    to: str | None,
    suite: str | None,
    url: str | None,
    out: str | None,
) -> None:
    """Draw sessions to be labelled by people, and write the form for it.

    PATH is a suite's folder, whose latest run is taken, a report.json or the id
    of a run. Every judged session has the same chance, in even shares of high
    and low scores; labels of these may correct the judge. With --diagnostic the
    most doubtful ones are chosen; their labels never do.
    """
    from datetime import UTC, datetime  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from pytest_sessioneval.cli.label_queue import (  # noqa: PLC0415
        asked_axes,
        draw,
        draw_again,
        draw_suspects,
        write_form,
    )
    from pytest_sessioneval.cli.labels import known_queue, labelled_axes  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415
    from pytest_sessioneval.errors import SettingError  # noqa: PLC0415
    from pytest_sessioneval.evaluation.reported import (  # noqa: PLC0415
        reported_suite,
        thumbs_on,
    )

    if again is not None and (diagnostic or axes):
        raise SettingError("--again: sessions and axes are those of the earlier queue")
    folder, now = out_folder(out), datetime.now(UTC)
    with named_store(url, home=folder) as store:
        found = reported_suite(run, suite=suite, option="label-queue", out=folder, store=store)
        why: dict[str, str] = {}
        if again is not None:
            queue = draw_again(found, known_queue(store, again), now=now)
        elif diagnostic:
            asked = asked_axes(found, axes, run)
            thumbs = thumbs_on(found, run, store)
            queue, why = draw_suspects(found, thumbs, count=count, seed=seed, axes=asked, now=now)
        else:
            asked = asked_axes(found, axes, run)
            queue = draw(found, count=count, seed=seed, axes=asked, now=now)
        file = Path(to or f"labels-{queue.name}.jsonl")
        labelled = labelled_axes(store, queue)
        for line in write_form(queue, found, file, labelled=labelled, why=why):
            click.echo(line)
        store.put_labels([], [queue])


@click.group()
def label() -> None:
    """Keep people's scores of sessions.

    A label is one person's score, 0 to 100, of one session on one axis. Only
    labels of sessions that `sessioneval label-queue` drew at random correct a
    judge; all others are kept apart.
    """


@label.command()
@click.argument("session_id", metavar="SESSION")
@click.argument("axis")
@click.argument("score", type=click.FloatRange(0, 100))
@click.option("--by", default="", help="Who scored.")
@click.option("--comment", default="", help="What the person wrote with it.")
@click.option("--complaint", is_flag=True, help="Somebody complained about this session.")
@_STORE
def add(
    session_id: str,
    axis: str,
    score: float,
    *,
    by: str,
    comment: str,
    complaint: bool,
    url: str | None,
) -> None:
    """Keep a label that no queue asked for: it never corrects a judge.

    SESSION is the id or the key of a session that was judged.
    """
    from datetime import UTC, datetime  # noqa: PLC0415

    from pytest_sessioneval.cli.labels import add as keep  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415

    with named_store(url, home=out_folder(None), must_exist=True) as store:
        click.echo(
            keep(
                store,
                session_id,
                axis,
                score,
                by=by,
                comment=comment,
                source="complaint" if complaint else "unknown",
                now=datetime.now(UTC),
            )
        )


@label.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_STORE
def import_(files: tuple[str, ...], *, url: str | None) -> None:
    """Keep the labels of FILEs: forms that were filled in, or exports.

    A line that is not accepted keeps all of it out. Sessions without a score
    yet are left open.
    """
    from pytest_sessioneval.cli.labels import import_files  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415

    with named_store(url, home=out_folder(None)) as store:
        for line in import_files(store, files):
            click.echo(line)


@label.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@_STORE
def list_(*, as_json: bool, url: str | None) -> None:
    """Print the labels there are, and how far each queue is done."""
    from pytest_sessioneval.cli.labels import as_table  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415

    with named_store(url, home=out_folder(None), must_exist=True) as store:
        labels, queues = store.labels(), store.label_queues()
    if as_json:
        told = {
            "labels": [one.model_dump(mode="json") for one in labels],
            "queues": [{"name": one.name, **one.model_dump(mode="json")} for one in queues],
        }
        click.echo(json.dumps(told, indent=2))
        return
    for line in as_table(labels, queues):
        click.echo(line)


@label.command()
@click.argument("run", metavar="PATH")
@click.option("--suite", metavar="NAME", help="Which suite, in a report of several.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, an object per axis.")
@_STORE
@_OUT
def check(run: str, *, suite: str | None, as_json: bool, url: str | None, out: str | None) -> None:
    """Hold the scores of a run against people's random labels.

    PATH is a suite's folder, whose latest run is taken, a report.json or the id
    of a run. Per axis: the judge's bias, the mean corrected by the labels, and,
    from 50 labels on, the mean calibrated to people's scale.
    """
    from pytest_sessioneval.cli.label_check import check_lines, checked_suite  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415
    from pytest_sessioneval.evaluation.reported import reported_suite  # noqa: PLC0415

    folder = out_folder(out)
    with named_store(url, home=folder, must_exist=True) as store:
        found = reported_suite(run, suite=suite, option="label check", out=folder, store=store)
        checks = checked_suite(found, store)
    if as_json:
        click.echo(json.dumps([one.model_dump(mode="json") for one in checks], indent=2))
        return
    for line in check_lines(checks, found.suite):
        click.echo(line)


@label.command()
@_STORE
def export(*, url: str | None) -> None:
    """Print queues and labels as a label file, which `label import` reads."""
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415
    from pytest_sessioneval.suites.labels import label_lines  # noqa: PLC0415

    with named_store(url, home=out_folder(None), must_exist=True) as store:
        click.echo(label_lines(store.label_queues(), store.labels()), nl=False)
