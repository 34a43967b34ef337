"""Several processes that score into one store, and processes that are killed while they do."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from scoring_cases import OpenScoring, read_rows

KILLS = 20 if os.environ.get("SESSIONEVAL_TEST_EXAMPLES") == "full" else 2
"""How many processes are killed."""

# Opens scoring when told to, sends calls, and names each job once it was answered as completed.
_CALLER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from scoring_cases import answer_of, call, wait_for
from pytest_sessioneval.evaluation.sample_scoring import SampleScorer, ScorerTerms
from pytest_sessioneval.evaluation.scoring_jobs import ScoringJobs
from pytest_sessioneval.stores.opening import open_store

url, out, name, calls = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
store = open_store(url, root=Path())
jobs = ScoringJobs(
    store=store,
    scorer=SampleScorer(ScorerTerms(environ={})),
    out=out,
    clock=lambda: datetime.now(UTC),
)
for start in range(0, calls, 8):
    sent = [
        jobs.submit(call("shared", question=f"{name} {number}", answer=answer_of(1, 1)))
        for number in range(start, start + 8)
    ]
    for job in sent:
        assert wait_for(jobs, job).status == "completed"
        print(job.job_id, flush=True)
jobs.close()
store.close()
"""


def _caller(url: str, out: Path, name: str, calls: int) -> subprocess.Popen[str]:
    here = Path(__file__).parent.parent
    path = os.pathsep.join([str(here), *filter(None, sys.path), str(Path.cwd())])
    caller = subprocess.Popen(
        [sys.executable, "-c", _CALLER, url, str(out), name, str(calls)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
    )
    assert caller.stdout is not None
    assert caller.stdout.readline() == "ready\n"
    return caller


def _go(caller: subprocess.Popen[str]) -> None:
    assert caller.stdin is not None
    caller.stdin.write("go\n")
    caller.stdin.flush()


def test_processes_that_score_at_once_share_one_report(
    store_url: str, open_scoring: OpenScoring, tmp_path: Path
) -> None:
    """Three processes call one session: every row once, the files hold all of them."""
    out = tmp_path / ".sessioneval"
    callers = [_caller(store_url, out, f"p{number}", 24) for number in range(3)]
    for caller in callers:
        _go(caller)
    answered = [job_id for caller in callers for job_id in caller.communicate()[0].split()]
    assert [caller.returncode for caller in callers] == [0] * 3
    assert len(set(answered)) == 72
    (folder,) = (out / "runs").iterdir()
    rows = read_rows(folder / "scores.csv")
    assert [f"session-score-{n}" for n in range(1, 73)] == [row["sample_id"] for row in rows]
    expected = {f"p{process} {number}" for process in range(3) for number in range(24)}
    assert expected == {row["question"] for row in rows}
    (session,) = open_scoring().jobs.sessions()
    assert set(answered) == {job.job_id for job in session.jobs}


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_process_loses_nothing_it_answered(
    store_url: str, open_scoring: OpenScoring, tmp_path: Path, kill: int
) -> None:
    """After kill -9 what was answered as completed is a row; the rest is interrupted, no row."""
    out = tmp_path / ".sessioneval"
    caller = _caller(store_url, out, "p", 100_000)
    _go(caller)
    assert caller.stdout is not None
    moments = random.Random(kill)  # noqa: S311  the same moments every time
    answered = [caller.stdout.readline().strip() for _ in range(moments.randrange(1, 40))]
    caller.kill()
    rest = caller.communicate()[0].splitlines(keepends=True)
    answered += [line.strip() for line in rest if line.endswith("\n")]
    assert caller.returncode == -9

    scoring = open_scoring()
    states = {job.job_id: (job.status, job.error) for job in scoring.jobs.jobs()}
    assert [("completed", None)] * len(answered) == [states[job_id] for job_id in answered]
    assert set(states.values()) <= {("completed", None), ("failed", "interrupted")}
    completed = sum(status == "completed" for status, _ in states.values())
    (folder,) = (out / "runs").iterdir()
    rows = read_rows(folder / "scores.csv")
    expected = [f"session-score-{number}" for number in range(1, completed + 1)]
    assert expected == [row["sample_id"] for row in rows]
    (run,) = scoring.store.runs()
    assert run.state == "done"
