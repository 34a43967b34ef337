"""What the small model of the end-to-end tests is worth as a judge: its card.

    python benchmarks/small_model.py FOLDER [--sessions N] [--output TOKENS]

Asks SmolLM2-135M, served on loopback by tests/small_model_server.py, about
goal_completion of the built-in rubric in the N shortest sessions of the folder
that record an outcome, and prints what became of its answers and how far they
agree with the outcomes. It takes tens of seconds a session.
"""

from __future__ import annotations

import argparse
import re
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from pytest_sessioneval.errors import JudgeError
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.scanning import scan
from pytest_sessioneval.gate.agreement.deviation import auc
from pytest_sessioneval.gate.agreement.resampling import bootstrap_interval
from pytest_sessioneval.judging.backends.opening import open_judge
from pytest_sessioneval.judging.model import Case, Completion, Judge
from pytest_sessioneval.judging.prompted import PromptedJudge
from pytest_sessioneval.suites.loading import default_suite
from pytest_sessioneval.suites.model import Expert, JudgeSettings
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from small_model_server import INSTALL, MODEL, missing, served

AXIS = "goal_completion"
RUBRIC = load_rubric("agent", base=Path())
EXPERT = Expert(id="outcome", instruction="Was the task solved?", axes=(AXIS,))
LEVEL = re.compile(r'"level"\s*:\s*(\d+)')
MOST_CHARS = 6_000
SUCCESS = 0.5


def labelled(folder: Path, count: int) -> list[tuple[Transcript, bool]]:
    """Return the shortest sessions with a recorded outcome, and whether they succeeded."""
    registry = Registry(builtin_readers())
    source = TranscriptSource(registry)
    found = []
    for member in scan(default_suite(folder), registry=registry, store=None).members:
        outcome = member.session.summary.outcome
        if outcome is not None and outcome.value is not None:
            found.append((source.load(member), outcome.value >= SUCCESS))
    found.sort(key=lambda one: sum(len(message.text) for message in one[0].messages))
    return found[:count]


def asked(judge: Judge, session: Transcript) -> str:
    """Return what became of the answer, such as scored, unverified or failed."""
    case = Case(
        session_id=session.session_id,
        transcript=session,
        rubric=RUBRIC,
        expert=EXPERT,
        axes=(RUBRIC.axis(AXIS),),
        nonce=secrets.token_hex(16),
        max_chars=MOST_CHARS,
    )
    try:
        opinion = judge.judge(case).axes[AXIS]
    except JudgeError as error:
        return f"failed: {str(error).partition(' (after')[0][:90]}"
    return "scored" if opinion.kind == "scored" else opinion.reason


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sessions", type=int, default=24)
    parser.add_argument("--output", type=int, default=260, help="most tokens of a reply")
    given = parser.parse_args()
    if missing():
        parser.error(f"{' and '.join(missing())} missing: {INSTALL}")
    settings = JudgeSettings(model=f"openai:{MODEL}", temperature=0, max_output_tokens=given.output)
    replies: list[Completion] = []
    became: Counter[str] = Counter()
    levels: list[tuple[int, bool]] = []
    start = time.perf_counter()
    sessions = labelled(given.folder, given.sessions)
    with served(Path(tempfile.mkdtemp()) / "log.txt") as url:
        judge = open_judge(
            f"openai:{MODEL}",
            settings=settings,
            environ={"OPENAI_BASE_URL": f"{url}/v1"},
            timeout_s=600,
            connections=1,
            stop=threading.Event(),
        )
        assert isinstance(judge, PromptedJudge)  # noqa: S101 - what openai: opens
        judge._listener = lambda _case, _turn, reply: replies.append(reply)  # noqa: SLF001
        for number, (session, success) in enumerate(sessions):
            before = len(replies)
            became[asked(judge, session)] += 1
            said = [LEVEL.search(reply.text) for reply in replies[before:]]
            found = next((match for match in reversed(said) if match is not None), None)
            if found is not None:
                levels.append((int(found[1]), success))
            print(f"{number + 1}/{len(sessions)} {dict(became)}", file=sys.stderr, flush=True)
        judge.close()
    taken = time.perf_counter() - start
    succeeded = sum(success for _, success in sessions)
    print(f"{len(sessions)} sessions, {succeeded} succeeded; {taken / len(sessions):.0f} s each")
    print("became of the answers:", dict(became.most_common()))
    print(f"replies: {len(replies)}, {sum(one.truncated for one in replies)} cut off")
    print("levels it gave, proven or not:", dict(sorted(Counter(x for x, _ in levels).items())))

    def separated(rows: list[tuple[int, bool]]) -> float | None:
        return auc([x for x, good in rows if good], [x for x, good in rows if not good])

    value = separated(levels)
    interval = bootstrap_interval(levels, lambda rows: separated(list(rows)), alpha=0.025)
    shown = "" if interval is None else f" [{interval[0]:.2f}, {interval[1]:.2f}]"
    print(f"AUC of these levels ({len(levels)}): {'-' if value is None else f'{value:.2f}'}{shown}")


if __name__ == "__main__":
    main()
