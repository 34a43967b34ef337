"""Commands that ask a suite's judge: the words of their command line."""

from __future__ import annotations

import click

from pytest_sessioneval.cli.folders import out_folder

__all__ = ["judge_noise"]

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


@click.command("judge-noise")
@click.argument("path")
@click.option(
    "-k",
    "--repeats",
    type=click.IntRange(2, 100),
    default=5,
    show_default=True,
    help="How often each session is judged.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="At most this many sessions, always the same ones.",
)
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
