"""Recorded judges and people, as an exam sees them: one record per thing that was judged twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pytest_sessioneval.gate.agreement.card import Agreement, Figure
from pytest_sessioneval.gate.agreement.exam import outcome_agreement, people_agreement
from pytest_sessioneval.gate.agreement.records import SessionRecord
from pytest_sessioneval.reports.card_tables import interval_text

__all__ = ["AXIS", "SETS", "RecordedSet", "rows", "table_rows", "triples"]

AXIS = "said"
LEVELS = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
_VERDICTS = {"pass": 100.0, "fail": 0.0}
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing: what the judge said of it, and what the labels say."""

    key: str
    cluster: str | None
    judge: float | None
    """0–100; None: no verdict of the vocabulary."""
    label: float | bool


@dataclass(frozen=True, slots=True)
class RecordedSet:
    """A judge and a set of labels."""

    judge: str
    labels: str
    read: Callable[[Path], Iterator[Row]]

    def agreement(self, data: Path) -> Agreement:
        """Return the judge held against the labels, by the exam's own figures."""
        found = None
        given = [*self.read(data)]
        if all(isinstance(row.label, bool) for row in given):
            found = outcome_agreement(
                [_record(row, succeeded=bool(row.label)) for row in given], AXIS
            )
        else:
            labelled = [_record(row, labels=(float(row.label),)) for row in given]
            found = people_agreement(labelled, AXIS, levels=LEVELS)
        assert found is not None
        return found


def rows(one: RecordedSet, data: Path) -> list[Row]:
    """Return the set's rows."""
    return [*one.read(data)]


def _record(
    row: Row, *, succeeded: bool | None = None, labels: tuple[float, ...] = ()
) -> SessionRecord:
    return SessionRecord(
        key=row.key,
        cluster=row.cluster,
        scores={} if row.judge is None else {AXIS: row.judge},
        labels={AXIS: labels} if labels else {},
        succeeded=succeeded,
    )


def _load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _triage(prompt: str) -> Callable[[Path], Iterator[Row]]:
    """Return what reads a judge's recorded verdicts on simulated airline sessions."""

    def read(data: Path) -> Iterator[Row]:
        summary = _load(data / "judge-replies" / f"airline_{prompt}.summary.json")
        for entry in summary["entries"]:
            said = _VERDICTS.get(entry["judge_verdict"])
            yield Row(entry["simulation_id"], None, said, entry["tau2_success"])

    return read


def _devai(agent: str) -> Callable[[Path], Iterator[Row]]:
    """Return what reads verdicts per requirement of a programming task."""

    def read(data: Path) -> Iterator[Row]:
        folder = data / "human-judged" / "devai" / agent
        for people in sorted((folder / "human_as_a_judge").glob("*.json")):
            judge = _load(folder / "agent_as_a_judge" / people.name)["requirements"]
            for ours, theirs in zip(judge, _load(people)["requirements"], strict=True):
                assert ours["criteria"] == theirs["criteria"]
                name = f"{people.stem} {theirs['requirement_id']}"
                said = 100.0 * ours["satisfied"]
                yield Row(name, people.stem, said, bool(theirs["satisfied"]))

    return read


def _longer_of_pandalm(data: Path) -> Iterator[Row]:
    for entry in _load(data / "human-judged" / "pandalm_testset.80.json"):
        votes = [entry[f"annotator{number}"] for number in (1, 2, 3)]
        if votes.count(1) != votes.count(2):
            longer = len(entry["response1"]) > len(entry["response2"])
            first = votes.count(1) > votes.count(2)
            yield Row(f"{entry['idx']} {entry['cmp_key']}", None, 100.0 * longer, first)


def _longer_of_autoj(data: Path) -> Iterator[Row]:
    lines = (data / "human-judged" / "autoj_pairwise.60.jsonl").read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        entry = json.loads(line)
        if entry["label"] != 2:
            longer = len(entry["response 1"]) > len(entry["response 2"])
            yield Row(str(number), None, 100.0 * longer, entry["label"] == 0)


def _grounding(data: Path) -> Iterator[Row]:
    for number, entry in enumerate(_load(data / "human-judged" / "topical_chat_usr.json")):
        said, known = (_bigrams(entry[name]) for name in ("system_output", "context"))
        share = len(said & known) / len(said) if said else 0.0
        label = 100.0 * entry["scores"]["groundedness"]
        yield Row(str(number), entry["source"], 100.0 * share, label)


def _bigrams(text: str) -> set[tuple[str, str]]:
    words = _WORD.findall(text.lower())
    return set(pairwise(words))


def triples(data: Path) -> list[list[int]]:
    """Return what one judge said three times of the same answers, 1 to 5."""
    found = _load(data / "judge-replies" / "prometheus_mt_bench_gpt4_x3.32.json")
    return [json.loads(str(entry["gpt4_score"])) for entry in found]


SETS = (
    RecordedSet("gpt-4o, quick_triage", "tau2 airline rewards", _triage("quick_triage_v1")),
    RecordedSet(
        "gpt-4o, policy_conversation", "tau2 airline rewards", _triage("policy_conversation_v1")
    ),
    RecordedSet(
        "gpt-4o, policy_chain_of_thought",
        "tau2 airline rewards",
        _triage("policy_chain_of_thought_v1"),
    ),
    *(
        RecordedSet("agent-as-a-judge, gray box", f"people, DevAI {agent}", _devai(agent))
        for agent in ("GPT-Pilot", "MetaGPT", "OpenHands")
    ),
    RecordedSet("the longer answer wins", "people, PandaLM", _longer_of_pandalm),
    RecordedSet("the longer answer wins", "people, auto-j (ties left out)", _longer_of_autoj),
    RecordedSet("share of bigrams in the facts", "people, TopicalChat groundedness", _grounding),
)


def table_rows(data: Path) -> Sequence[str]:
    """Return the rows of the table in docs/judge-check.md."""
    return [_table_row(one, one.agreement(data)) for one in SETS]


def _table_row(one: RecordedSet, found: Agreement) -> str:
    count = f"{found.sessions}" + (
        f" ({found.unscored} off the vocabulary)" if found.unscored else ""
    )
    cells = (
        one.judge,
        one.labels,
        count,
        _percent(found.accuracy),
        interval_text(found.kappa),
        interval_text(found.alpha),
        f"{_percent(found.judge_passes)} / {_percent(found.label_passes)}",
    )
    return f"| {' | '.join(cells)} |"


def _percent(figure: Figure) -> str:
    assert figure.value is not None
    return f"{100 * figure.value:.0f} %"
