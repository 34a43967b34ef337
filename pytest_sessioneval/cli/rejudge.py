"""Scores a suite's baseline, or the canaries in it, with the judge as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_sessioneval.cli.baseline import written_lines
from pytest_sessioneval.cli.folders import shown
from pytest_sessioneval.cli.judging import asked_suite, waiting_for
from pytest_sessioneval.evaluation.direct import Terms, direct_run
from pytest_sessioneval.evaluation.rejudging import rejudge, score_canaries, sessions_at
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import counted

__all__ = ["Asked", "rejudged", "scored_canaries"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of how to score a baseline again."""

    sessions: str | None
    anchor: bool
    fresh: bool
    drop: bool


def rejudged(folder: str, asked: Asked, *, judge: str | None, on: Terms) -> Iterator[str]:
    """Score the baseline of the folder's suite again; yield what moved, a line each.

    Raises as ``evaluation.rejudging.rejudge`` does; nothing is written then.
    """
    suite = asked_suite(folder, judge)
    with (
        direct_run(on, for_baseline=True, fresh=asked.fresh) as run,
        sessions_at(suite, asked.sessions) as place,
    ):
        done = rejudge(
            suite,
            run,
            place=place,
            anchor=asked.anchor,
            fresh=asked.fresh,
            drop=asked.drop,
            announce=waiting_for("baseline rejudge"),
        )
    if done.written is None:
        yield (
            f"{one_line(shown(done.path))} was made with today's judge, rubric and scoring: "
            "nothing to do; --fresh asks again all the same"
        )
        return
    yield from written_lines(done.written)
    for one in done.dropped:
        yield f"left out: {one_line(one.key)} ({one_line(one.why)})"
    if done.others:
        other = counted(done.others, "other session")
        yield f"{other} there that the baseline does not have: not judged"


def scored_canaries(folder: str, *, judge: str | None, on: Terms) -> Iterator[str]:
    """Write the scores of the suite's canaries into its baseline; yield what moved.

    Raises as ``evaluation.rejudging.score_canaries`` does; nothing is written then.
    """
    suite = asked_suite(folder, judge)
    with direct_run(on, for_baseline=True) as run:
        written = score_canaries(suite, run, announce=waiting_for("baseline canaries"))
    yield from written_lines(written)
