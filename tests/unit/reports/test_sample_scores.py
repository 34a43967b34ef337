"""The files of a session of scoring calls, as values."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pandas as pd
from hypothesis import given, strategies as st

from pytest_sessioneval.reports.sample_scores import (
    SampleReport,
    advised,
    render_metadata,
    render_samples_csv,
    render_samples_summary,
)
from pytest_sessioneval.stores.job_values import JobResult, ReportRow, ScoringInput

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOSTILE = '=HYPERLINK("http://x")\n# <img src=x> [a](http://b) | @everyone \x1b[31m`'


def _row(
    number: int,
    scores: dict[str, float | None],
    *,
    question: str = "Who?",
    answer: str = "She.",
    contexts: tuple[str, ...] = (),
    truth: str | None = None,
    unproven: dict[str, str] | None = None,
) -> ReportRow:
    skipped = [name for name, score in scores.items() if score is None]
    return ReportRow(
        number=number,
        job_id=f"{number:012x}",
        created_at=AT + timedelta(minutes=number),
        finished_at=AT + timedelta(minutes=10 - number),
        request=ScoringInput(
            question=question,
            answer=answer,
            contexts=contexts,
            ground_truth=truth,
            metrics=tuple(scores),
            judge_model="evidence",
        ),
        result=JobResult(
            scores=scores,
            skipped_metrics=tuple(sorted(skipped)),
            latency_ms=1.0,
            unproven=unproven or {},
        ),
    )


def _report(*rows: ReportRow, session: str = "s", **means: float | None) -> SampleReport:
    return SampleReport(
        session_id=session, run_id="session-s-0", started_at=AT, rows=rows, means=means
    )


def _read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_has_the_union_of_all_metrics() -> None:
    """A metric that a row lacks, or that was skipped, is an empty cell."""
    report = _report(
        _row(1, {"faithfulness": 0.5}),
        _row(2, {"context_recall": None, "answer_relevancy": 1.0}),
        faithfulness=0.5,
        answer_relevancy=1.0,
        context_recall=None,
    )
    expected = (
        "sample_id,question,answer,contexts,ground_truth,error,"
        "faithfulness,answer_relevancy,context_recall\n"
        "session-score-1,Who?,She.,,,,0.5,,\n"
        "session-score-2,Who?,She.,,,,,1.0,\n"
    )
    assert expected == render_samples_csv(report)


def test_contexts_stand_in_one_cell_as_a_call_may_send_them() -> None:
    """They are joined by ' |||| '; a ground truth has its own cell."""
    report = _report(_row(1, {}, contexts=("One.", "Two."), truth="Yes."))
    (row,) = _read(render_samples_csv(report))
    assert (row["contexts"], row["ground_truth"]) == ("One. |||| Two.", "Yes.")


def test_a_score_that_could_not_be_proven_says_why() -> None:
    """The row's error names the metric."""
    row = _row(1, {"faithfulness": None}, unproven={"faithfulness": "unverified: no quote"})
    (read,) = _read(render_samples_csv(_report(row, faithfulness=None)))
    assert read["error"] == "faithfulness: unverified: no quote"


def test_a_frame_reads_empty_cells_as_missing() -> None:
    """The file is one that pandas reads, with scores as numbers."""
    report = _report(_row(1, {"a": 0.25}), _row(2, {"a": None}), a=0.25)
    frame = pd.read_csv(io.StringIO(render_samples_csv(report)))
    assert [0.25, None] == [None if pd.isna(each) else each for each in frame["a"]]


def test_no_cell_is_a_formula() -> None:
    """What begins like one is led by an apostrophe."""
    row = _row(1, {}, question=HOSTILE, answer="@x", contexts=("+1+1",), truth="-2+3")
    (read,) = _read(render_samples_csv(_report(row)))
    cells = [read[name] for name in ("question", "answer", "contexts", "ground_truth")]
    assert ["'"] * 4 == [cell[0] for cell in cells]


@given(st.lists(st.text(max_size=40), min_size=1, max_size=5))
def test_any_text_stays_in_its_row(texts: list[str]) -> None:
    """Every row is read back under its own id, whatever questions hold."""
    rows = [_row(number, {}, question=text) for number, text in enumerate(texts, start=1)]
    read = _read(render_samples_csv(_report(*rows)))
    expected = [f"session-score-{number}" for number in range(1, len(texts) + 1)]
    assert expected == [row["sample_id"] for row in read]


def test_a_summary_shows_means_and_lowest_rows() -> None:
    """Rows whose every score is 1 are not among the lowest."""
    report = _report(
        _row(1, {"faithfulness": 1.0, "context_recall": None}),
        _row(2, {"faithfulness": 0.5}, question="Why?"),
        faithfulness=0.75,
        context_recall=None,
    )
    expected = """# Scores of session s

2 calls scored from 2026-01-02 03:04:05 to 2026-01-02 03:13:05 UTC
· run session-s-0 · judged by evidence

| metric | mean | lowest | scored | without a score |
|---|---:|---:|---:|---:|
| faithfulness | 0.7500 | 0.5000 | 2 | 0 |
| context_recall | – | – | 0 | 2 |

Scores are 0–1, 1 is best.

## Lowest rows

| row | average | question | answer |
|---|---:|---|---|
| session-score-2 | 0.5000 | Why? | She. |

Every row: [scores.csv](scores.csv). What to look at first:
[optimization_advice.md](optimization_advice.md).
"""
    assert expected == render_samples_summary(report)


def test_nothing_a_caller_wrote_is_markdown() -> None:
    """Session, question and answer render as the text they are."""
    row = _row(1, {"faithfulness": 0.0}, question=HOSTILE, answer=HOSTILE)
    text = render_samples_summary(_report(row, session=HOSTILE, faithfulness=0.0))
    links = ["[scores.csv](scores.csv)", "[optimization_advice.md](optimization_advice.md)"]
    for link in links:
        text = text.replace(link, "")
    assert not re.search(r"(?<!\\)\](?=\()", text)
    for sign in ("<img", "\x1b", "@everyone", "http://"):
        assert sign not in text
    (told,) = [line for line in text.splitlines() if line.startswith("| session-score-1")]
    assert 5 == told.replace("\\|", "").count("|")


def test_metadata_says_from_when_to_when() -> None:
    """It started at the first call and finished when the last row was."""
    report = _report(
        _row(1, {"faithfulness": 0.5}), _row(2, {"faithfulness": 1.0}), faithfulness=0.75
    )
    expected = {
        "session_id": "s",
        "run_id": "session-s-0",
        "started_at": "2026-01-02T03:04:05Z",
        "finished_at": "2026-01-02T03:13:05Z",
        "rows": 2,
        "last_job_id": "000000000002",
        "metrics": ["faithfulness"],
        "metric_means": {"faithfulness": 0.75},
        "judge_models": ["evidence"],
        "embedding_models": [],
        "format": 1,
    }
    assert expected == json.loads(render_metadata(report))


def test_advice_is_made_of_every_metric_of_a_row() -> None:
    """What a row lacks is told apart from a zero."""
    report = _report(_row(1, {"a": 0.0}), _row(2, {"b": 1.0}), a=0.0, b=1.0)
    expected = [{"a": 0.0, "b": None}, {"a": None, "b": 1.0}]
    assert expected == [row.scores for row in advised(report)]
