"""``sessioneval score``: the words of its command line."""

from __future__ import annotations

import click

from pytest_sessioneval.cli.folders import out_folder

__all__ = ["score"]


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--judge",
    metavar="MODEL",
    help="Who judges, in the words of [judge] model; default: SESSIONEVAL_JUDGE, the suite's.",
)
@click.option(
    "--scope",
    type=click.Choice(["all", "unevaluated"]),
    default="all",
    show_default=True,
    help="Which sessions: all, or those without a current verdict.",
)
@click.option("--profile", metavar="ID", help="Only sessions of this profile.")
@click.option("--since", metavar="DATE", help="Only sessions recorded on or after this ISO date.")
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="At most this many of each suite."
)
@click.option("--shard", metavar="I/N", help="Only the I-th of N parts of each suite.")
@click.option("--offline", is_flag=True, help="Ask no judge: what is not stored is not scored.")
@click.option(
    "--max-calls", type=click.IntRange(0), metavar="N", help="Most requests to the judge."
)
@click.option("--require-gate", is_flag=True, help="Fail where no gate could decide.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--out", metavar="DIR", help="Where reports are written; default: .sessioneval.")
@click.option(
    "--store", "url", metavar="URL", help="The store; default: that of runs started here."
)
@click.pass_context
def score(
    ctx: click.Context,
    paths: tuple[str, ...],
    *,
    judge: str | None,
    scope: str,
    profile: str | None,
    since: str | None,
    limit: int | None,
    shard: str | None,
    offline: bool,
    max_calls: int | None,
    require_gate: bool,
    as_json: bool,
    out: str | None,
    url: str | None,
) -> None:
    """Evaluate the sessions in PATHs without pytest.

    A PATH is a folder, as a suite of its own, or a file of sessions. The same
    judges, thresholds, gate, store and reports as `pytest --sessioneval PATH`.
    Exit status 0: everything held; 1: a session, a mean or the gate did not, or
    a file could not be read; 2: it cannot be done as asked, and nobody was asked.
    """
    from dataclasses import replace  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from pytest_sessioneval.cli.judging import named_judge, terms  # noqa: PLC0415
    from pytest_sessioneval.cli.listings import moment  # noqa: PLC0415
    from pytest_sessioneval.cli.score import score_paths, shard as part  # noqa: PLC0415
    from pytest_sessioneval.evaluation.scoring import ScoringRequest  # noqa: PLC0415
    from pytest_sessioneval.evaluation.selection import Selection  # noqa: PLC0415

    selection = Selection(
        scope="unevaluated" if scope == "unevaluated" else "all",
        since=None if since is None else moment(since),
        limit=limit,
        shard=None if shard is None else part(shard),
    )
    request = ScoringRequest(
        paths=tuple(map(Path, paths)),
        judge=named_judge(judge),
        selection=selection,
        profile=profile,
        require_gate=require_gate,
    )
    on = terms(store=url, max_calls=max_calls, home=out_folder(None).parent)
    done = score_paths(request, on=replace(on, offline=offline), out=out_folder(out))
    if as_json:
        click.echo(done.json(), nl=False)
    else:
        for line in done.lines():
            click.echo(line)
    ctx.exit(0 if done.scored.held else 1)
