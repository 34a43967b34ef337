"""Examines a suite's judge, and writes what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_sessioneval.cli.judging import asked_suite, waiting_for
from pytest_sessioneval.errors import SessionEvalError, SuiteError
from pytest_sessioneval.evaluation.bench import Bench
from pytest_sessioneval.evaluation.cards import card_path
from pytest_sessioneval.evaluation.direct import Terms, judge_opener
from pytest_sessioneval.evaluation.exam_labels import exam_labels
from pytest_sessioneval.evaluation.examining import Exam, ExamSettings
from pytest_sessioneval.evaluation.scanning import scan
from pytest_sessioneval.evaluation.walking import passed_over
from pytest_sessioneval.gate.agreement.card import JudgeCard
from pytest_sessioneval.reports.writing import prepare_folder, write_card
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.sqlite import open_sqlite
from pytest_sessioneval.suites.feedback import latest
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

__all__ = ["Examined", "examine_judge"]

_PROBE_STORE = "judge-check.db"


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of an exam."""

    card: JudgeCard
    written: tuple[Path, ...]
    """The card's files, JSON first."""


def examine_judge(
    folder: str,
    *,
    judge: str | None,
    labels: Sequence[str],
    settings: ExamSettings,
    on: Terms,
    out: Path,
) -> Examined:
    """Examine the judge of the folder's suite, and write its card to ``out``.

    Where the suite names a card, it is written there as well. Raises
    ``UsageError`` for what cannot be examined as asked, ``StoreError``, and
    ``SessionEvalError`` where a judge that answered nothing has a card already.
    """
    suite = asked_suite(folder, judge)
    registry = Registry(builtin_readers())
    with closing(_opened(on)) as store:
        found = scan(suite, registry=registry, store=store, ignored=passed_over)
        if not found.members:
            raise SuiteError(
                f"{suite.root}: no session of a known format; `sessioneval init` says what is there"
            )
        thumbs = store.feedback([member.session.session_id for member in found.members])
        suite = suite.model_copy(update={"feedback": latest([*thumbs, *suite.feedback])})
        files = [Path(name) for name in labels]
        held_against = exam_labels(files, store, found.members, suite.rubric.axis_names)
    evaluation = on.evaluation()
    exam = Exam(
        suite,
        found.members,
        held_against,
        settings=settings,
        bench=Bench(
            open_judge=judge_opener(on.environ, evaluation.concurrency),
            root=on.home,
            clock=lambda: datetime.now(UTC),
            announce=waiting_for("judge-check"),
            settings=evaluation,
        ),
        own_store=lambda: _opened(on),
        probe_store=lambda: open_sqlite(out / _PROBE_STORE),
        registry=registry,
    )
    card = exam.card()
    files = [card_path(out, card.judge_version, card.rubric_version)]
    if suite.settings.judge.card is not None:
        files.append(suite.root / suite.settings.judge.card)
    if not card.answered and any(file.exists() for file in files):
        raise SessionEvalError(
            f"judge-check: {card.judge} gave no answer on any of {card.sessions} sessions; the "
            "card that is there stays as it is"
        )
    prepare_folder(out)
    return Examined(card, tuple(path for file in files for path in write_card(card, file)))


def _opened(on: Terms) -> Store:
    return open_store(on.store, root=on.home)
