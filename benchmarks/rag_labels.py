"""How far faithfulness by words agrees with people, on labels of theirs.

    python benchmarks/rag_labels.py FOLDER [--draws N]

FOLDER holds ``qags_cnndm.50.json`` (summaries with a source; people said which
share of a summary's sentences is consistent with it) and, where they are there,
``halueval_general.150.jsonl`` and ``ragas_annotated_data.json``, as in
../shared/data/rag-human-labels. Prints, as Markdown: the AUC against two cuts
of the labels, and Cohen's kappa at a score of 80 as if it were a threshold,
each with a 95 % interval over resampled documents; and how many samples of the
other files the judge can say anything of.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pytest_sessioneval.evaluation.sample_scoring import Sample, SampleScorer, ScorerTerms
from pytest_sessioneval.gate.agreement.coefficients import cohen_kappa
from pytest_sessioneval.gate.agreement.deviation import auc
from pytest_sessioneval.gate.agreement.resampling import bootstrap_interval

TAIL = 0.025
THRESHOLD = 80
CUTS = (("all sentences consistent", 0.999), ("more than half consistent", 0.5))


class Row(NamedTuple):
    """One summary: its score, and how people found it."""

    score: int
    label: float
    """The share of its sentences that people found consistent with the source."""
    document: int


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=4_000)
    asked = parser.parse_args()
    for line in lines(asked.folder, asked.draws):
        print(line)


def lines(folder: Path, draws: int) -> Iterator[str]:
    """Yield the tables, line by line."""
    scorer = SampleScorer(ScorerTerms(environ={}))
    rows = list(qags(folder / "qags_cnndm.50.json", scorer))
    yield f"QAGS (CNN/DM): {len(rows)} summaries, faithfulness by words"
    yield ""
    yield "| people | yes / no | AUC | 95 % interval | kappa at 80 | 95 % interval |"
    yield "|---|---|---|---|---|---|"
    for said, cut in CUTS:
        good = sum(row.label > cut for row in rows)
        cells = [f"{good} / {len(rows) - good}"]
        for statistic in (separation(cut), agreement(cut)):
            low, high = interval(rows, statistic, draws)
            cells += [f"{statistic(rows) or 0:.2f}", f"{low:.2f} to {high:.2f}"]
        yield f"| {said} | {' | '.join(cells)} |"
    yield ""
    for name, samples in others(folder):
        scores = [scorer.score(each, metrics=["faithfulness"]).scores for each in samples]
        scored = sum(score["faithfulness"] is not None for score in scores)
        yield f"{name}: {scored} of {len(samples)} scored (the others have no contexts)"


def qags(path: Path, scorer: SampleScorer) -> Iterator[Row]:
    """Yield each summary's score, and how people found it."""
    for record in json.loads(path.read_text("utf-8")):
        sample = Sample("", record["system_output"], (record["source"],))
        score = scorer.score(sample, metrics=["faithfulness"]).scores["faithfulness"]
        if score is not None:
            yield Row(score, float(record["scores"]["consistency"]), record["doc_id"])


def others(folder: Path) -> Iterator[tuple[str, list[Sample]]]:
    """Yield the samples of the files whose labels are of something else."""
    path = folder / "halueval_general.150.jsonl"
    if path.is_file():
        records = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
        yield path.name, [Sample(r["user_query"], r["chatgpt_response"]) for r in records]
    path = folder / "ragas_annotated_data.json"
    if path.is_file():
        held: dict[str, Any] = json.loads(path.read_text("utf-8"))
        given = [each["metric_input"] for group in held.values() for each in group]
        yield path.name, [Sample(each["user_input"], each["response"]) for each in given]


def separation(cut: float) -> Callable[[Sequence[Row]], float | None]:
    """Return the AUC of the score against a cut of the labels."""

    def statistic(rows: Sequence[Row]) -> float | None:
        good = [float(row.score) for row in rows if row.label > cut]
        bad = [float(row.score) for row in rows if row.label <= cut]
        return auc(good, bad) if good and bad else None

    return statistic


def agreement(cut: float) -> Callable[[Sequence[Row]], float | None]:
    """Return the kappa of a threshold on the score and a cut of the labels."""

    def statistic(rows: Sequence[Row]) -> float | None:
        return cohen_kappa(
            [row.score >= THRESHOLD for row in rows], [row.label > cut for row in rows]
        )

    return statistic


def interval(
    rows: Sequence[Row], statistic: Callable[[Sequence[Row]], float | None], draws: int
) -> tuple[float, float]:
    """Return the percentile interval over resampled documents."""
    found = bootstrap_interval(
        rows, statistic, clusters=[row.document for row in rows], alpha=TAIL, resamples=draws
    )
    return (float("nan"), float("nan")) if found is None else found


if __name__ == "__main__":
    main()
