"""Commands about a suite's judge: the words of their command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pytest_sessioneval.cli.folders import out_folder

__all__ = ["calibrate", "canaries", "judge_check", "judge_noise", "rejudge"]

_JUDGE = click.option(
    "--judge",
    metavar="MODEL",
    help="Who judges, in the words of [judge] model; default: SESSIONEVAL_JUDGE, the suite's.",
)
_STORE = click.option(
    "--store", "url", metavar="URL", help="The store; default: that of runs started here."
)
_MAX_CALLS = click.option(
    "--max-calls", type=click.IntRange(0), metavar="N", help="Most requests to the judge."
)


def _count(
    *names: str, default: int, told: str, fewest: int = 1, most: int | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return an option that takes a number from ``fewest`` to ``most`` and shows its default."""
    kind = click.IntRange(fewest, most)
    return click.option(*names, type=kind, default=default, show_default=True, help=told)


@click.command("judge-noise")
@click.argument("path")
@_count("-k", "--repeats", default=5, fewest=2, most=100, told="How often each session is judged.")
@_count("--limit", default=20, told="At most this many sessions, always the same ones.")
@_JUDGE
@_STORE
@_MAX_CALLS
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def judge_noise(
    path: str,
    *,
    repeats: int,
    limit: int,
    judge: str | None,
    url: str | None,
    max_calls: int | None,
    as_json: bool,
) -> None:
    """Measure how much the judge of the suite in PATH differs from itself.

    Judges the same sessions several times and prints, per axis, the spread and
    what it does to the smallest drop that the suite shows. What the store has is
    not asked for again.
    """
    from pytest_sessioneval.cli.judge_noise import measured_noise, noise_lines  # noqa: PLC0415
    from pytest_sessioneval.cli.judging import terms  # noqa: PLC0415

    on = terms(store=url, max_calls=max_calls, home=out_folder(None).parent)
    noise = measured_noise(path, repeats=repeats, limit=limit, judge=judge, on=on)
    if as_json:
        click.echo(noise.model_dump_json(indent=2))
    else:
        for line in noise_lines(noise):
            click.echo(line)


@click.command()
@click.argument("path")
@click.option(
    "--labels",
    multiple=True,
    metavar="FILE",
    help="A label file; repeatable; default: the outcomes that transcripts record.",
)
@click.option(
    "--kind",
    metavar="KEY",
    help="The metadata that names a session's kind of task; default: domain, where it is there.",
)
@click.option(
    "--write",
    metavar="FILE",
    help="The file to write; default: the suite's calibration, else calibration.json in PATH.",
)
@click.option("--force", is_flag=True, help="Replace a calibration that is there already.")
@click.pass_context
def calibrate(
    ctx: click.Context,
    path: str,
    *,
    labels: tuple[str, ...],
    kind: str | None,
    write: str | None,
    force: bool,
) -> None:
    """Fit the embedded judge to labels of your own.

    Takes at least 40 labelled sessions in the folder PATH, says how well a fit
    predicts sessions of tasks it has not seen, and writes it to a file when that
    is better than a coin. Exit status 1: it is not, and nothing was written.
    """
    from pytest_sessioneval.cli.calibrate import calibrate_suite  # noqa: PLC0415

    found = calibrate_suite(path, labels=labels, kind=kind, write=write, force=force)
    for line in found.lines:
        click.echo(line)
    ctx.exit(0 if found.written else 1)


@click.command()
@click.argument("folder", metavar="[DIR]", default=".")
@click.option(
    "--sessions",
    metavar="FOLDER|git:REF",
    help="Where the baseline's sessions are; default: the suite's folder as it is.",
)
@click.option("--anchor", is_flag=True, help="Score the pinned baseline again, not today's.")
@click.option(
    "--fresh", is_flag=True, help="Ask about all of it again, also with the same versions."
)
@click.option(
    "--drop-unmatched",
    "drop",
    is_flag=True,
    help="Leave out, and list, sessions that are not there as they were.",
)
@_JUDGE
@_STORE
@_MAX_CALLS
def rejudge(
    folder: str,
    *,
    sessions: str | None,
    anchor: bool,
    fresh: bool,
    drop: bool,
    judge: str | None,
    url: str | None,
    max_calls: int | None,
) -> None:
    """Score the baseline's sessions again with the judge as it is now.

    For when judge or rubric have other versions than the baseline, or when
    canaries show that the judge moved. The sessions are told by key and
    transcript; when one is not there as it was, nothing is judged.
    """
    from pytest_sessioneval.cli.judging import terms  # noqa: PLC0415
    from pytest_sessioneval.cli.rejudge import Asked, rejudged  # noqa: PLC0415

    on = terms(store=url, max_calls=max_calls, home=out_folder(None).parent)
    asked = Asked(sessions=sessions, anchor=anchor, fresh=fresh, drop=drop)
    for line in rejudged(folder, asked, judge=judge, on=on):
        click.echo(line)


@click.command()
@click.argument("folder", metavar="[DIR]", default=".")
@_JUDGE
@_STORE
@_MAX_CALLS
def canaries(folder: str, *, judge: str | None, url: str | None, max_calls: int | None) -> None:
    """Judge the suite's canaries and write their scores into its baseline.

    The sessions' scores stay as they are. For a suite that has just been given
    [gate] canaries, or others.
    """
    from pytest_sessioneval.cli.judging import terms  # noqa: PLC0415
    from pytest_sessioneval.cli.rejudge import scored_canaries  # noqa: PLC0415

    on = terms(store=url, max_calls=max_calls, home=out_folder(None).parent)
    for line in scored_canaries(folder, judge=judge, on=on):
        click.echo(line)


@click.command("judge-check")
@click.argument("path")
@click.option(
    "--labels",
    multiple=True,
    metavar="FILE",
    help="People's scores: a label file, or a .csv table; repeatable.",
)
@click.option(
    "--use-outcome", is_flag=True, help="Take recorded outcomes as labels of the task axis."
)
@_count(
    "-k",
    "--repeats",
    default=5,
    most=100,
    told="How often sessions are judged, to see whether they get the same score; 1: once.",
)
@_count(
    "--sessions", default=20, told="How many sessions are judged again, and changed for probes."
)
@click.option("--no-probes", is_flag=True, help="Leave the probes out; the card is incomplete.")
@_JUDGE
@_STORE
@_MAX_CALLS
@click.option("--json", "as_json", is_flag=True, help="Print the card as JSON.")
@click.option(
    "--out", metavar="DIR", help="The folder with runs/; default: the nearest .sessioneval."
)
@click.pass_context
def judge_check(
    ctx: click.Context,
    path: str,
    *,
    labels: tuple[str, ...],
    use_outcome: bool,
    repeats: int,
    sessions: int,
    no_probes: bool,
    judge: str | None,
    url: str | None,
    max_calls: int | None,
    as_json: bool,
    out: str | None,
) -> None:
    """Examine the judge of the suite in PATH, and write its card.

    Holds it against people's scores, thumbs and recorded outcomes, against
    itself, and against sessions changed in ways that must or must not move a
    score. Exit status 0: it passed; 1: it did not, or too little was measured.
    """
    from pytest_sessioneval.cli.judge_check import examine_judge  # noqa: PLC0415
    from pytest_sessioneval.cli.judging import terms  # noqa: PLC0415
    from pytest_sessioneval.evaluation.examining import ExamSettings  # noqa: PLC0415
    from pytest_sessioneval.reports.card import card_lines  # noqa: PLC0415
    from pytest_sessioneval.reports.neutralise import one_line  # noqa: PLC0415

    folder = out_folder(out)
    examined = examine_judge(
        path,
        judge=judge,
        labels=labels,
        settings=ExamSettings(repeats, sessions, use_outcome=use_outcome, probes=not no_probes),
        on=terms(store=url, max_calls=max_calls, home=folder.parent),
        out=folder,
    )
    if as_json:
        click.echo(examined.card.model_dump_json(indent=2))
    else:
        for line in card_lines(examined.card):
            click.echo(line)
        click.echo("")
        for file in examined.written:
            click.echo(f"wrote {one_line(str(file))}")
    ctx.exit(0 if examined.card.status == "passed" else 1)
