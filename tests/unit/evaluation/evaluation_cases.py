"""Sessions as collection finds them, and suites of files, for the tests of evaluation."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from scripted_judge import HeldJudge

from pytest_sessioneval.evaluation.evaluation import Evaluation
from pytest_sessioneval.evaluation.membership import FoundSummary, Member
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.scanning import Scan, scan
from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.judging.budget import CallBudget
from pytest_sessioneval.judging.model import Answer, Case, Judge
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.stores.sqlite import open_sqlite
from pytest_sessioneval.suites.loading import default_suite, load_suite
from pytest_sessioneval.suites.model import (
    Axis,
    Expert,
    JudgeSettings,
    Level,
    Rubric,
    Suite,
    SuiteFile,
)
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.transcripts.reader import Document, FileReading, Limits, Record
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers
from pytest_sessioneval.verdicts.model import Unscored
from pytest_sessioneval.verdicts.run import Provenance, Run, SessionResult

ROOT = Path("/suites/small")
MODEL = "hook:script"
AXES = ("goal", "tone")


def prefixes(messages: str) -> str:
    """Return the rolling digests of a session whose messages are these letters."""
    grown = (messages[: at + 1] for at in range(len(messages)))
    return "".join(sha256(part.encode()).hexdigest()[:16] for part in grown)


def summary(messages: str = "ab", **fields: Any) -> SessionSummary:
    """Return what is kept of a session; equal letters mean equal messages."""
    given = {
        "session_id": f"id-{messages}",
        "source": "testing",
        "digest": sha256(messages.encode()).hexdigest(),
        "message_count": len(messages),
        "prefix_digests": prefixes(messages),
        **fields,
    }
    return SessionSummary(**given)


def found(name: str = "a.json", messages: str = "ab", **fields: Any) -> FoundSummary:
    """Return a session as its file gave it."""
    return FoundSummary(ROOT / name, name, summary(messages, **fields))


def member(name: str = "a.json", messages: str = "ab", **fields: Any) -> Member:
    """Return a session of a suite, whose key is its path."""
    item = found(name, messages, **fields)
    session = SuiteSession(suite="small", key=item.id, path=item.relative, summary=item.summary)
    return Member(id=item.id, path=item.path, session=session)


def said(subject: str, turns: int = 1) -> list[dict[str, Any]]:
    """Return that many questions about a subject, each with its answer."""
    return [
        {"role": role, "content": f"{words} {subject}, {turn}."}
        for turn in range(turns)
        for role, words in (("user", "What about"), ("assistant", "All is well with"))
    ]


def chat(messages: Sequence[Mapping[str, Any]], **fields: Any) -> str:
    """Return a file of one session."""
    return json.dumps({"messages": messages, **fields})


def write(root: Path, **files: str | bytes) -> None:
    """Write files; ``__`` in a name is a slash, and a name without a suffix gets ``.json``."""
    for name, content in files.items():
        relative = name.replace("__", "/")
        path = root / (relative if "." in relative else f"{relative}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


LEVELS = tuple(Level(score=score, anchor=f"looks like {score}") for score in (0, 50, 100))
RUBRIC = Rubric(
    name="small",
    version=1,
    axes=tuple(Axis(name=name, question=f"How is its {name}?", levels=LEVELS) for name in AXES),
)
ONE = Expert(id="one", instruction="Look.", axes=AXES)


def small_suite(*experts: Expert, root: Path = ROOT, name: str = "small", **sections: Any) -> Suite:
    """Return a suite with two axes; ``sections`` are fields of its file."""
    judge = JudgeSettings(model=MODEL, experts=experts or (ONE,))
    return Suite(
        root=root,
        name=name,
        file=None,
        settings=SuiteFile(**{"judge": judge, **sections}),
        rubric=RUBRIC,
    )


class CountingReader:
    """A reader in front of the built-in ones that counts the documents it is shown."""

    name = "counting"

    def __init__(self, version: int = 1) -> None:
        self.version = version
        self.seen: list[str] = []

    def detects(self, document: Document) -> bool:
        """Return that it is not this reader's."""
        self.seen.append(document.path.name)
        return False

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Never called."""
        raise NotImplementedError

    def companions(self, path: Path) -> list[Path]:  # noqa: ARG002
        """Return no other file."""
        return []

    def owns(self, path: Path) -> bool:  # noqa: ARG002
        """Return that the file stands for itself."""
        return False


NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROVENANCE = Provenance(tool_version="0", python="3", platform="test")


class Bench:
    """A folder of sessions, a store, and evaluations of them, one after another."""

    def __init__(self, root: Path, judge: Judge) -> None:
        self.root = root / "suite"
        self.root.mkdir()
        self.judge = judge
        self.suite = small_suite(root=self.root)
        self.opened: list[str] = []
        """Judges that were opened, by name."""
        self.moment = NOW
        """What the clock says."""
        self._path = root / "store" / "store.db"
        self._count = 0

    def store(self) -> SqlStore:
        """Return the store, opened."""
        return open_sqlite(self._path)

    def write(self, *subjects: str) -> None:
        """Write a session about each subject, in a file of its name."""
        write(self.root, **{subject: chat(said(subject)) for subject in subjects})

    def plan(self, *suites: Suite, registry: Registry | None = None) -> Plan:
        """Return a plan of all that lies in the suites' folders."""
        readers = registry or Registry(builtin_readers())
        plans = []
        for suite in suites or (self.suite,):
            found = scan(suite, registry=readers, store=None)
            sessions = [
                PlannedSession(member=one, nodeid=f"node {one.id}") for one in found.members
            ]
            plans.append(SuitePlan(suite=suite, sessions=tuple(sessions), sources=found.sources))
        return Plan(suites=tuple(plans))

    @contextmanager
    def evaluation(self, *, store: Store | None = None, **settings: Any) -> Iterator[Evaluation]:
        """Give an evaluation that is closed in the end."""
        self._count += 1
        evaluation = Evaluation(
            settings=EvaluationSettings(**settings),
            store=store or self.store(),
            source=TranscriptSource(Registry(builtin_readers())),
            open_judge=self._open,
            run_id=f"run-{self._count}",
            root=self.root.parent,
            clock=lambda: self.moment,
            secret=b"secret",
        )
        try:
            yield evaluation
        finally:
            if isinstance(self.judge, HeldJudge):
                self.judge.release()
            evaluation.stop("the test is over")
            evaluation.close()

    def run(self, *suites: Suite, **settings: Any) -> Run:
        """Return a whole run: everything planned, judged and reported."""
        with self.evaluation(**settings) as evaluation:
            return complete(evaluation, self.plan(*suites))

    def _open(
        self, model: str, suite: Suite, *, budget: CallBudget, stop: threading.Event
    ) -> Judge:
        del stop
        self.opened.append(f"{model} for {suite.name}")
        return Reserving(self.judge, budget)


class Reserving:
    """A judge in front of which every call is taken from the budget."""

    def __init__(self, judge: Judge, budget: CallBudget) -> None:
        self.name = judge.name
        self.sees_metadata = judge.sees_metadata
        self.shares_prefix = judge.shares_prefix
        self._judge = judge
        self._budget = budget

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return the judge's."""
        return self._judge.identity

    def notice(self, suite: Suite) -> str:
        """Return the judge's."""
        return self._judge.notice(suite)

    def unsupported(self, suite: Suite) -> Mapping[str, str]:
        """Return the judge's."""
        return self._judge.unsupported(suite)

    def judge(self, case: Case) -> Answer:
        """Return the judge's answer, if there is a call left."""
        self._budget.reserve()
        return self._judge.judge(case)

    def close(self) -> None:
        """Close the judge."""
        self._judge.close()


def complete(evaluation: Evaluation, plan: Plan) -> Run:
    """Return the run of a plan whose every session is waited for and reported."""
    evaluation.start(plan)
    for suite_plan in plan.suites:
        for planned in suite_plan.sessions:
            evaluation.result(suite_plan.suite.name, planned.member.id)
            evaluation.consumed(suite_plan.suite.name, planned.member.id)
    run = evaluation.finish(provenance=PROVENANCE, reported=lambda _suite, _member: True)
    evaluation.keep(run)
    return run


SECRET = "sk-ant-api03-" + "Zx9" * 31


def states_of(run: Run) -> list[str]:
    """Return how each session of a run ended, in order."""
    return [result.state for suite in run.suites for result in suite.results]


def statuses_of(run: Run) -> list[str]:
    """Return whether each session's verdict is current, in order."""
    return [result.status for suite in run.suites for result in suite.results]


def details_of(result: SessionResult) -> set[str]:
    """Return the reasons of a session none of whose axes is scored."""
    assert result.verdict is not None
    axes = result.verdict.axes.values()
    return {f"{axis.reason}: {axis.detail}" for axis in axes if isinstance(axis, Unscored)}


class PairReader(CountingReader):
    """A reader of ``{"pair": …}``: the session is in the file, its notes beside it."""

    name = "pair"

    def detects(self, document: Document) -> bool:
        """Return whether it is a pair."""
        return isinstance(document.value, dict) and "pair" in document.value

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Return what the built-in readers make of the pair's messages."""
        record = Record({"messages": document.value["pair"]}, 1)
        inner = Document(document.path, "json", (record,))
        return Registry(builtin_readers()).read_document(inner, limits)

    def companions(self, path: Path) -> list[Path]:
        """Return the notes."""
        notes = path.with_suffix(".notes.json")
        return [notes] if notes.exists() else []

    def owns(self, path: Path) -> bool:
        """Return whether it is somebody's notes."""
        return path.name.endswith(".notes.json")


def scan_folder(root: Path, store: Store | None = None, *readers: Any, **how: Any) -> Scan:
    """Return what a scan of the folder finds, as a suite if it has a suite file."""
    suite = load_suite(root) if (root / "sessioneval.toml").exists() else default_suite(root)
    registry = Registry((*readers, *builtin_readers()))
    return scan(suite, registry=registry, store=store, **how)


def suite_in(root: Path, text: str) -> None:
    """Write the folder's suite file."""
    (root / "sessioneval.toml").write_text(text, encoding="utf-8")
