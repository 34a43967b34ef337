"""A plan travels between processes: what arrives is what was sent."""

from __future__ import annotations

import json
from pathlib import Path

from evaluation_cases import chat, said, write

from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan
from pytest_sessioneval.evaluation.scanning import scan
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

SUITE = """
[suite]
name = "shop"
feedback = ["thumbs.jsonl"]
[profiles]
default = "shop.md"
[judge]
model = "openai:big"
temperature = 0.0
[[expect]]
must_call = [{ tool = "refund", args = { order = "W12", parts = [1, 2.5, true] } }]
[thresholds.session]
goal_completion = 40
[gate]
axes = ["goal_completion"]
break = 30
[gate.margins]
default = 2.5
"""


def test_a_plan_comes_through_json_as_it_was(tmp_path: Path) -> None:
    """Suite, sessions, sources and node ids, whatever a suite file can say."""
    thumb = json.dumps(
        {"session_id": "a", "message_index": 0, "rating": -1, "at": "2026-01-01T00:00:00Z"}
    )
    write(
        tmp_path,
        a=chat(said("pens"), metadata={"run": 7, "share": 0.5, "last": True, "note": None}),
        b="{",
        **{"sessioneval.toml": SUITE, "shop.md": "You sell.", "thumbs.jsonl": thumb},
    )
    suite = load_suite(tmp_path)
    found = scan(suite, registry=Registry(builtin_readers()), store=None)
    plan = Plan(
        suites=(
            SuitePlan(
                suite=suite,
                sessions=tuple(
                    PlannedSession(member=one, nodeid=f"suite/{one.id}") for one in found.members
                ),
                sources=found.sources,
                left_out=("b.json",),
            ),
        ),
        partial="-k",
    )
    sent = json.dumps(plan.model_dump(mode="json", by_alias=True))
    assert plan == Plan.model_validate(json.loads(sent))
