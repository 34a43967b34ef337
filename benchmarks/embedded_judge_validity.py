"""What the embedded judge's scores say of success, and which faults lower them.

    python benchmarks/embedded_judge_validity.py FOLDER [--draws N] [--no-faults]

FOLDER holds tau-bench and tau2-bench results with recorded rewards (0.5 and
more is success), as in ../shared/data. Prints, as Markdown:

1. per kind of task, how well hand-weighted evidence separates success from
   failure (AUC with a 95 % interval over resampled tasks);
2. the same of written expectations: state-changing calls against those that the
   benchmark expects, which its files hold;
3. fits on 20, 40, 80 and 100 labels, tested on tasks they have not seen, and on
   kinds of task they have not seen; and what shuffled labels come to;
4. known faults put into sessions, and how often the axis that must fall falls.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from rewarded_sessions import Session, canonical, kinds_of, made, sessions_of

from pytest_sessioneval.evaluation.calibrating import RIDGE
from pytest_sessioneval.gate.agreement.deviation import auc
from pytest_sessioneval.gate.agreement.resampling import bootstrap_interval, wilson
from pytest_sessioneval.gate.fitting.discrimination import (
    Cases,
    kinds_held_out,
    tasks_held_out,
)
from pytest_sessioneval.gate.fitting.logistic import fit_logistic
from pytest_sessioneval.judging.evidence_judge import TEXT_CAP, EvidenceJudge
from pytest_sessioneval.judging.faults import FAULTS, Fault
from pytest_sessioneval.judging.model import Case
from pytest_sessioneval.judging.process.features import feature_values
from pytest_sessioneval.judging.process.opinions import signals_of
from pytest_sessioneval.suites.model import Expectation, ExpectedCall, Expert
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.transcripts.model import Transcript

RUBRIC = load_rubric("agent", base=Path())
EXPERT = Expert(id="evidence", instruction="", axes=RUBRIC.axis_names)
PROCESS = ("tool_usage_quality", "efficiency", "communication")
TAIL = 0.025
SIZES = (20, 40, 80, 100)
SHUFFLED = 200
LONGEST = 120
"""Messages of a session that faults are put into, at most."""
JUDGE = EvidenceJudge()


# -- separating ----------------------------------------------------------------------


def separated(rows: Sequence[tuple[float, bool]]) -> float | None:
    """Return the AUC of (score, success) rows."""
    return auc([x for x, good in rows if good], [x for x, good in rows if not good])


def shown(rows: Sequence[tuple[float, bool]], tasks: Sequence[str]) -> str:
    """Return the AUC with its interval over resampled tasks."""
    value = separated(rows)
    if value is None:
        return "–"
    found = bootstrap_interval(rows, separated, clusters=tasks, alpha=TAIL)
    return f"{value:.2f}" + ("" if found is None else f" [{found[0]:.2f}, {found[1]:.2f}]")


def row(*cells: object) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(map(str, cells))} |")


def head(*cells: str) -> None:
    """Print a table's first two rows."""
    print()
    row(*cells)
    print("|" + "---|" * len(cells))


def judged(session: Transcript, axes: Sequence[str], **fields: Any) -> dict[str, int | None]:
    """Return the embedded judge's scores; None where there is none."""
    wanted = tuple(RUBRIC.axis(name) for name in axes)
    case = Case(
        session_id=session.session_id,
        transcript=session,
        rubric=RUBRIC,
        expert=EXPERT,
        axes=wanted,
        **fields,
    )
    found = JUDGE.judge(case).axes
    return {name: one.score if one.kind == "scored" else None for name, one in found.items()}


def process_table(sessions: Sequence[Session]) -> None:
    """Print how hand-weighted evidence separates success from failure."""
    scores = {id(one): judged(one.transcript, PROCESS) for one in sessions}
    head("sessions", "n (successes)", *PROCESS, "mean of the three")
    for kind, part in kinds_of(sessions):
        cells = []
        for axis in (*PROCESS, None):
            rows, tasks = [], []
            for one in part:
                found = scores[id(one)]
                given = [x for x in found.values() if x is not None]
                value = found[axis] if axis else (fmean(given) if given else None)
                if value is not None:
                    rows.append((float(value), bool(one.success)))
                    tasks.append(one.task)
            cells.append(shown(rows, tasks))
        row(kind, f"{len(part)} ({sum(bool(one.success) for one in part)})", *cells)


# -- expectations --------------------------------------------------------------------


def overlap(session: Session) -> float:
    """Return F1 of the state-changing calls made and those expected; 1 where there is none."""
    wanted = Counter((name, canonical(args)) for name, args, _ in session.expected or ())
    found = made(session.transcript)
    total = wanted.total() + found.total()
    return 2 * (wanted & found).total() / total if total else 1.0


def expectations(session: Session, tools: Sequence[str]) -> tuple[Expectation, ...]:
    """Return the expected calls as a suite file would have them: made, and no other kind."""
    wanted = [
        ExpectedCall(tool=name, args=args) for name, args, mine in session.expected or () if mine
    ]
    other = {name for name, _, _ in session.expected or ()}
    forbidden = [ExpectedCall(tool=name) for name in tools if name not in other]
    return (Expectation(must_call=tuple(wanted), must_not_call=tuple(forbidden)),)


def expectation_table(sessions: Sequence[Session]) -> None:
    """Print how written expectations separate success from failure."""
    known = [one for one in sessions if one.expected is not None]
    head("sessions", "n (successes)", "F1 of calls made and expected", "`[[expect]]`, as scored")
    for kind, part in kinds_of(known):
        tools = sorted({name for one in part for name, _ in made(one.transcript)})
        by_overlap = [(overlap(one), bool(one.success)) for one in part]
        scored = []
        for one in part:
            asked = expectations(one, [name for name in tools if _of_agent(name, part)])
            score = judged(one.transcript, ["goal_completion"], expectations=asked)
            scored.append((float(score["goal_completion"] or 0), bool(one.success)))
        tasks = [one.task for one in part]
        successes = sum(bool(one.success) for one in part)
        row(kind, f"{len(part)} ({successes})", shown(by_overlap, tasks), shown(scored, tasks))


def _of_agent(name: str, part: Sequence[Session]) -> bool:
    return any(
        call.name == name
        for one in part
        for message in one.transcript.messages
        if message.role == "assistant"
        for call in message.tool_calls
    )


# -- fits ----------------------------------------------------------------------------


def cases_of(sessions: Sequence[Session]) -> Cases:
    """Return what a calibration is fitted to."""
    return Cases(
        rows=[feature_values(signals_of(one.transcript, TEXT_CAP, "")) for one in sessions],
        labels=[bool(one.success) for one in sessions],
        tasks=[one.task for one in sessions],
        kinds=[one.kind for one in sessions],
    )


def fit_table(sessions: Sequence[Session], draws: int) -> None:
    """Print what fits on few labels come to on other tasks, and on other kinds of task."""
    parts = [(kind, cases_of(part)) for kind, part in kinds_of(sessions)]
    heads = [f"{size} labels" for size in SIZES]
    head("sessions", *heads, "tasks held out", "kinds held out", "shuffled labels accepted")
    for kind, cases in parts:
        if min(sum(cases.labels), len(cases.labels) - sum(cases.labels)) < 8:
            row(kind, *["too few of one outcome"] + ["–"] * (len(SIZES) + 2))
            continue
        found = tasks_held_out(cases, ridge=RIDGE, seed=1)
        others = kinds_held_out(cases, ridge=RIDGE, seed=1) if len(set(cases.kinds)) > 1 else None
        row(
            kind,
            *(_learned(cases, size, draws) for size in SIZES),
            *(
                "–" if one is None else f"{one.auc:.2f} [{one.low:.2f}, {one.high:.2f}]"
                for one in (found, others)
            ),
            _accepted_by_chance(cases),
        )


def _learned(cases: Cases, size: int, draws: int) -> str:
    """Return the mean AUC on the other tasks of fits to ``size`` labels of whole tasks."""
    rows, labels = np.asarray(cases.rows, dtype=float), np.asarray(cases.labels)
    tasks, kinds = np.asarray(cases.tasks), np.asarray(cases.kinds)
    found: list[float] = []
    for seed in range(draws):
        order = np.random.default_rng(seed).permutation(sorted(set(tasks.tolist())))
        seen = np.zeros(len(labels), dtype=bool)
        for task in order:
            if seen.sum() >= size:
                break
            seen |= tasks == task
        if seen.sum() < size or len(set(labels[seen])) < 2:
            continue
        odds = fit_logistic(rows[seen], labels[seen].astype(float), ridge=RIDGE).log_odds(
            rows[~seen]
        )
        won, pairs = 0.0, 0
        for kind in set(kinds[~seen]):
            own = kinds[~seen] == kind
            good, bad = odds[own & labels[~seen]], odds[own & ~labels[~seen]]
            if len(good) and len(bad):
                won += (auc(good.tolist(), bad.tolist()) or 0) * len(good) * len(bad)
                pairs += len(good) * len(bad)
        if pairs >= 10:
            found.append(won / pairs)
    if len(found) < draws / 2:
        return "–"
    low, high = np.percentile(found, [5, 95])
    return f"{fmean(found):.2f} (5–95 %: {low:.2f}–{high:.2f})"


def _accepted_by_chance(cases: Cases) -> str:
    """Return how often labels shuffled within kinds would be accepted."""
    accepted = 0
    for seed in range(SHUFFLED):
        chance = random.Random(seed)
        labels = list(cases.labels)
        for kind in set(cases.kinds):
            at = [place for place, own in enumerate(cases.kinds) if own == kind]
            given = [labels[place] for place in at]
            chance.shuffle(given)
            for place, label in zip(at, given, strict=True):
                labels[place] = label
        found = tasks_held_out(replace(cases, labels=labels), ridge=RIDGE, seed=seed)
        accepted += found is not None and found.low > 0.5
    return f"{accepted} of {SHUFFLED}"


# -- faults --------------------------------------------------------------------------


def fault_table(sessions: Sequence[Session]) -> None:
    """Print how often each known fault lowers the score of the axis that must fall."""
    short = [one.transcript for one in sessions if len(one.transcript.messages) <= LONGEST]
    before = [judged(one, PROCESS) for one in short]
    head("fault", "axis that must fall", "sessions", "fell [95 %]", "rose", "mean change")
    for fault in FAULTS:
        changes = list(_changes(fault, short, before))
        fell, rose = sum(x < 0 for x in changes), sum(x > 0 for x in changes)
        low, high = wilson(fell, len(changes), alpha=TAIL)
        share = f"{fell / len(changes):.0%} [{low:.0%}, {high:.0%}]"
        row(fault.name, fault.axis, len(changes), share, rose, f"{fmean(changes):+.0f}")


def _changes(
    fault: Fault, sessions: Sequence[Transcript], before: Sequence[dict[str, int | None]]
) -> Iterator[int]:
    for number, (session, scores) in enumerate(zip(sessions, before, strict=True)):
        chance = random.Random(f"{fault.name}-{number}")
        changed = fault.inject(session, sessions[(number + 1) % len(sessions)], chance)
        if changed is None:
            continue
        was, now = scores[fault.axis], judged(changed, [fault.axis])[fault.axis]
        if was is not None and now is not None:
            yield now - was


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--no-faults", action="store_true")
    given = parser.parse_args()
    every = sessions_of(given.folder)
    labelled = [one for one in every if one.success is not None]
    successes = sum(bool(one.success) for one in labelled)
    print(f"{len(every)} sessions, {len(labelled)} with an outcome, {successes} succeeded")
    steps: list[tuple[str, Callable[[], None]]] = [
        ("Hand-weighted evidence (AUC)", lambda: process_table(labelled)),
        ("Written expectations (AUC)", lambda: expectation_table(labelled)),
        ("Fits to labels (AUC)", lambda: fit_table(labelled, given.draws)),
    ]
    if not given.no_faults:
        steps.append(("Known faults", lambda: fault_table(every)))
    for title, step in steps:
        print(f"\n### {title}")
        step()


if __name__ == "__main__":
    main()
