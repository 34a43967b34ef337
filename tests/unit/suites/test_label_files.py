"""Label files: what proves where a label comes from, and what is refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.labels import (
    HumanLabel,
    LabelFile,
    LabelQueue,
    form_lines,
    label_lines,
    read_labels,
)

QUEUE = LabelQueue(
    kind="random",
    suite="airline",
    rubric="agent@1#abc",
    axes=("goal_completion", "communication"),
    seed=7,
    frame=10,
    propensity=0.2,
    strata={"0-25": (5, 1), "76+": (5, 1)},
    members={"task-1": "d1", "task-2": "d2"},
    drawn_at=datetime(2026, 11, 21, 19, 4, tzinfo=UTC),
)
HEAD = json.loads(form_lines(QUEUE, []))


def read(folder: Path, *lines: dict[str, Any], known: tuple[LabelQueue, ...] = ()) -> LabelFile:
    """Return what a file of these lines holds."""
    (folder / "l.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    return read_labels(folder / "l.jsonl", known)


def refusal(folder: Path, *lines: dict[str, Any]) -> str:
    """Return why it is refused, without the folder's name."""
    with pytest.raises(SuiteError) as caught:
        read(folder, *lines)
    return str(caught.value).replace(f"{folder}/", "")


def line(digest: str = "d1", **more: Any) -> dict[str, Any]:
    """Return a session's line in the queue's name."""
    scores = {"goal_completion": 60, "communication": None}
    return {"digest": digest, "queue": QUEUE.name, "scores": scores, **more}


def test_a_filled_form_holds_random_labels(tmp_path: Path) -> None:
    """One per score; what is still null is none."""
    found = read(tmp_path, HEAD, line(by="ann"), line("d2", scores={"goal_completion": None}))
    (label,) = found.labels
    assert ("d1", "goal_completion", 60, "random", QUEUE.name, "ann") == (
        *(label.digest, label.axis, label.score, label.source, label.queue, label.by),
    )
    assert 1 == found.open
    assert (QUEUE,) == found.queues


def test_the_queue_may_stand_after_its_labels(tmp_path: Path) -> None:
    """Files get sorted and joined."""
    assert "random" == read(tmp_path, line(), HEAD).labels[0].source


def test_a_known_queue_need_not_stand_in_the_file(tmp_path: Path) -> None:
    """The store that drew it remembers."""
    assert "random" == read(tmp_path, line(), known=(QUEUE,)).labels[0].source


def test_a_diagnostic_queue_gives_diagnostic_labels(tmp_path: Path) -> None:
    """They never become random ones."""
    queue = QUEUE.model_copy(update={"kind": "diagnostic", "propensity": None})
    head = json.loads(form_lines(queue, []))
    found = read(tmp_path, head, line(queue=queue.name))
    assert ["diagnostic"] == [label.source for label in found.labels]


@pytest.mark.parametrize("source", ["complaint", "unknown"])
def test_a_label_without_a_queue_is_what_it_says(tmp_path: Path, source: str) -> None:
    """Nobody drew it."""
    found = read(tmp_path, {"digest": "d9", "scores": {"any_axis": 0}, "source": source})
    assert [source] == [label.source for label in found.labels]


def test_a_label_that_says_nothing_is_of_unknown_source(tmp_path: Path) -> None:
    """Never random by default."""
    assert "unknown" == read(tmp_path, {"digest": "d1", "scores": {"a": 1}}).labels[0].source


def test_a_later_line_replaces_an_earlier_one(tmp_path: Path) -> None:
    """The same session, axis, person and queue."""
    found = read(tmp_path, HEAD, line(), line(scores={"goal_completion": 80}))
    assert [80] == [label.score for label in found.labels]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (line("d9"), f"queue {QUEUE.name} did not draw the session d9"),
        (line(queue="q-0123456789abcdef"), "queue q-0123456789abcdef is not known: keep its line"),
        (line(source="complaint"), "this line names a queue and a source"),
        (line(source="random"), 'source is the string "random"; accepted: "complaint" or'),
        (line(scores={"tone": 5}), "scores has 'tone'; queue q-"),
        (line(scores={"goal_completion": 101}), "scores is the number 101; accepted: a table of"),
        (line(scores={"goal_completion": True}), "scores is true; accepted: a table of axes"),
        (line(score=5), "unknown key 'score' (did you mean 'scores'?); accepted: digest, scores"),
        ({"scores": {}}, "this line lacks the key 'digest'"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_line_that_is_not_accepted_is_named(
    tmp_path: Path, given: dict[str, Any], message: str
) -> None:
    """By file and line."""
    assert refusal(tmp_path, HEAD, given).startswith(f"l.jsonl:2: {message}")


@pytest.mark.parametrize(
    "change",
    [
        {"members": {"task-1": "d1", "task-2": "d2", "complaint-3": "d3"}},
        {"kind": "random", "propensity": 1.0},
        {"axes": ["goal_completion"]},
    ],
    ids=["a member more", "another chance", "other axes"],
)
def test_a_queue_that_was_edited_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    """A session that was complained about cannot be slipped into a random draw by mistake."""
    edited = {**HEAD, "queue": {**HEAD["queue"], **change}}
    assert "this queue is not the one that was drawn" in refusal(tmp_path, edited)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Random, diagnostic and complaint labels, with who, when and why."""
    at = datetime(2026, 11, 22, 8, tzinfo=UTC)
    drawn = [
        HumanLabel(
            digest="d1",
            axis=axis,
            score=score,
            by="a",
            queue=QUEUE.name,
            source="random",
            at=at,
            session_id="s1",
            comment="fine",
        )
        for axis, score in {"communication": 80, "goal_completion": 62.5}.items()
    ]
    labels = (
        *drawn,
        HumanLabel(digest="d7", axis="goal_completion", score=0, source="complaint"),
    )
    (tmp_path / "l.jsonl").write_text(label_lines([QUEUE], labels), "utf-8")
    found = read_labels(tmp_path / "l.jsonl")
    assert (QUEUE,) == found.queues
    assert set(labels) == set(found.labels)


def test_a_form_does_not_say_what_the_judge_thinks() -> None:
    """Whoever labels must be blind to the scores: neither they nor the stratum stand there."""
    session = {"digest": "d1", "session_id": "s1", "path": "a.json"}
    row = json.loads(form_lines(QUEUE, [session]).splitlines()[1])
    assert {"queue", "digest", "session_id", "path", "scores", "by", "comment"} == row.keys()
    assert {"goal_completion": None, "communication": None} == row["scores"]
