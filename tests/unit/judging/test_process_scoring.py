"""From findings to scores."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence_cases import RUBRIC, scored
from hypothesis import given
from hypothesis.strategies import floats

from pytest_sessioneval.judging.process.rules import RULES, Rule
from pytest_sessioneval.judging.process.scoring import effort_points, length_kept
from pytest_sessioneval.judging.process.signals import Effort
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.model import Message

FAIL = tool("get_order", {"id": "W1"}, result="Error: not found")
LOOK = tool("get_order", {"id": "W2"}, result="shipped")
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "evidence-judge.md"


def effort(**fields: int) -> Effort:
    """Return an effort of ten steps but for what is given."""
    usual = {
        "messages": 20,
        "steps": 10,
        "calls": 5,
        "tools": 3,
        "requests": 4,
        "subagents": 0,
        "output_tokens": 1_000,
    }
    return Effort(**{**usual, **fields})


def test_a_rule_keeps_the_share_its_formula_gives() -> None:
    """1 − 0.6 (1 − e^(−(1/8) / 0.4)) with e^(−0.3125) = 0.7316156."""
    rule = Rule("failed", 0.6, 0.4, "")
    assert rule.kept(1 / 8) == pytest.approx(0.8389694, abs=1e-6)


@given(floats(0, 50), floats(0, 50))
def test_more_of_a_fault_never_keeps_more(one: float, other: float) -> None:
    """Every rule falls with x, from 1 at 0, and never beneath what it may cost."""
    low, high = sorted((one, other))
    for rules in RULES.values():
        for rule in rules:
            assert 1 >= rule.kept(low) >= rule.kept(high) >= 1 - rule.loss


def test_what_is_cited_of_a_call_names_its_tool() -> None:
    """A failed call's place says which tool failed."""
    session = transcript(("user", "Look at my order."), FAIL, ("assistant", "Not found."))
    assert ["get_order"] == [one.tool for one in scored(session, "tool_usage_quality").evidence]


def test_one_failure_in_eight_calls_costs_16_points() -> None:
    """The example of the documentation: 100 × 0.839."""
    session = transcript(
        ("user", "Look at my orders."),
        FAIL,
        *[tool("get_order", {"id": f"X{n}"}, result=f"shipped {n}") for n in range(7)],
        ("assistant", "All are shipped."),
    )
    assert scored(session, "tool_usage_quality").score == 84


def test_a_repeated_failure_costs_more_than_two_different_ones() -> None:
    """Sending a failing call again unchanged is a fault of its own."""
    other = tool("get_order", {"id": "W3"}, result="Error: not found")
    two = transcript(("user", "Look."), FAIL, other, ("assistant", "Not found."))
    again = transcript(("user", "Look."), FAIL, FAIL, ("assistant", "Not found."))
    assert scored(again, "tool_usage_quality").score < scored(two, "tool_usage_quality").score < 100


def test_a_comment_names_tool_and_messages() -> None:
    """A reviewer can go there at once."""
    session = transcript(("user", "Look."), LOOK, LOOK, LOOK, ("assistant", "It is shipped."))
    said = scored(session, "tool_usage_quality").comment
    assert "3 identical calls of get_order (M1, M3, M5) returned the same result" in said


def test_an_outage_is_told_and_not_scored() -> None:
    """A tool's own faults do not count against the agent."""
    out = tool("get_order", {"id": "W1"}, result="Error: 503 Service Unavailable")
    found = scored(
        transcript(("user", "Look."), out, ("assistant", "It is out of order.")),
        "tool_usage_quality",
    )
    assert found.score == 100
    assert "1 call met a tool that was out of order" in found.comment


def test_one_of_a_kind_is_told_in_the_singular() -> None:
    """One call, one step, one request, one token, one point."""
    out = tool("get_order", {}, result="Error: 503 Service Unavailable")
    session = transcript(("user", "Look."), out)
    assert "1 call met a tool" in scored(session, "tool_usage_quality").comment
    short = transcript(("user", "Hi"), ("assistant", "Yes."))
    said = scored(short, "efficiency").comment
    assert said == "1 step for 1 request of the user and about 1 token written cost 2 points."


def test_a_success_claimed_after_a_failed_call_costs() -> None:
    """The claim and the failure are both cited, in their own words."""
    session = transcript(
        ("user", "Cancel order W1."),
        tool("cancel_order", {"id": "W1"}, result="Error: order not found"),
        ("assistant", "Your order has been cancelled."),
    )
    found = scored(session, "communication")
    assert found.failure_tag == "false_claim"
    assert [(3, "has been"), (2, "Error: order not found")] == [
        (place.message, place.quote) for place in found.evidence
    ]


def test_the_longer_of_two_sessions_is_the_less_efficient() -> None:
    """Steps, steps per request and words written each cost."""
    kept = length_kept(effort())
    assert kept > length_kept(effort(steps=20))
    assert kept > length_kept(effort(requests=1))
    assert kept > length_kept(effort(output_tokens=4_000))


def test_length_alone_never_takes_more_than_60_percent() -> None:
    """A giant session without waste is not the worst there is."""
    assert length_kept(effort(steps=10**9, requests=1, output_tokens=10**12)) == pytest.approx(0.4)


def test_effort_grows_by_doublings_up_to_100() -> None:
    """6 log2(1+steps) + 4 log2(1+calls) + 4 log2(1+tools) + 3 log2(1+requests) + sub-agents."""
    one = Effort(messages=8, steps=3, calls=3, tools=1, requests=1, subagents=0, output_tokens=0)
    assert effort_points(one) == pytest.approx(6 * 2 + 4 * 2 + 4 * 1 + 3 * 1)
    assert effort_points(effort(steps=10**9, calls=10**9)) == 100


def test_every_failure_tag_of_a_rule_is_one_of_the_rubrics() -> None:
    """A tag that the built-in rubric does not know would never be given."""
    unknown = [
        (axis, tag)
        for axis, rules in RULES.items()
        for rule in rules
        for tag in rule.tags
        if tag not in RUBRIC.axis(axis).failure_tags
    ]
    assert unknown == []


def test_a_rubric_without_the_tag_gets_other() -> None:
    """A user's own rubric has its own words."""
    axis = RUBRIC.axis("tool_usage_quality").model_copy(update={"failure_tags": ("clumsy",)})
    session = transcript(("user", "Look."), FAIL, ("assistant", "Not found."))
    assert scored(session, "tool_usage_quality", axes=(axis,)).failure_tag == "other"


def test_a_comment_stays_short_whatever_a_transcript_holds() -> None:
    """Tool names are text of the transcript, and may be of any length."""
    tools = [tool("t" * 5_000 + str(n), result="Error: no") for n in range(9)]
    found = scored(transcript(("user", "Go."), *tools), "tool_usage_quality")
    assert len(found.comment) <= 1_500
    assert all(len(place.note) <= 240 for place in found.evidence)


def test_evidence_is_limited_and_mixed() -> None:
    """At most twelve places, the costliest kind first, every kind before a second of one."""
    session = transcript(
        ("user", "Look."),
        *[tool("a", {"n": n}, result="Error: no") for n in range(20)],
        tool("missing", result="Error: unknown tool missing"),
        Message(index=0, role="assistant", text="I could not find out."),
    )
    found = scored(session, "tool_usage_quality").evidence
    assert len(found) == 12
    assert {place.note.split(":")[0] for place in found[:2]} == {"failed", "unknown tool"}


@pytest.mark.parametrize("axis", sorted(RULES))
def test_the_documentation_holds_every_rule_with_its_numbers(axis: str) -> None:
    """docs/evidence-judge.md is what a user reads instead of this code."""
    text = DOCUMENT.read_text("utf-8")
    section = text.partition(f"### `{axis}`")[2].partition("\n###")[0]
    expected = [
        f"| `{rule.kind}` | {rule.loss:.2f} | {rule.scale:g} | {rule.per} |" for rule in RULES[axis]
    ]
    assert [row for row in expected if row not in section] == []
