"""Sub-agents: who reported, what was used, what was done twice."""

from __future__ import annotations

from evidence_cases import scored

from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.testing.transcripts import ToolTurn
from pytest_sessioneval.transcripts.model import CallRef, Message, Subsession, Transcript

REPORT = "The handler lives in src/billing/refunds.py next to compute_refund and RefundPolicy."
READ = tool("Read", {"file_path": "src/app.py"}, result="code")


def sub(
    agent_id: str, *turns: tuple[str, str] | ToolTurn | Message, parent: str | None = None
) -> Subsession:
    """Return a sub-agent started by the first call of its parent."""
    return Subsession(
        agent_id=agent_id,
        messages=transcript(*turns).messages,
        spawned_by=CallRef(message=1, ordinal=0),
        parent_agent_id=parent,
    )


def session(*subs: Subsession, answer: str = "Done.", report: str = REPORT) -> Transcript:
    """Return a session that starts the sub-agents and answers."""
    return transcript(
        ("user", "Where are refunds handled?"),
        tool("Task", {"prompt": "Find the refund handler."}, result=report),
        ("assistant", answer),
        subsessions=subs,
    )


USED = "Refunds are handled in src/billing/refunds.py by compute_refund under RefundPolicy."
GOOD = sub("a1", ("user", "Find it."), READ, ("assistant", REPORT))


def test_a_reported_and_used_result_gets_full_marks() -> None:
    """Nothing was lost between the two agents."""
    assert scored(session(GOOD, answer=USED), "subagent_orchestration").score == 100


def test_a_report_that_left_no_trace_costs() -> None:
    """None of its words returns in what the main agent says or does."""
    found = scored(session(GOOD, answer="I have nothing to say."), "subagent_orchestration")
    assert (True, "result_ignored") == (found.score < 100, found.failure_tag)


def test_a_sub_agent_that_never_reports_costs() -> None:
    """It broke off, and the call that started it has only an error."""
    started = transcript(
        ("user", "Where are refunds handled?"),
        tool("Task", {"prompt": "Find it."}, result="aborted", is_error=True),
        ("assistant", "I could not find out."),
        subsessions=(sub("a1", ("user", "Find it."), READ),),
    )
    found = scored(started, "subagent_orchestration")
    assert found.score < 70
    assert "a1" in found.comment


def test_a_look_up_made_by_two_sub_agents_costs() -> None:
    """The second one is cited, with its id."""
    second = sub("a2", ("user", "Find it, too."), READ, ("assistant", REPORT))
    found = scored(session(GOOD, second, answer=USED), "subagent_orchestration")
    assert (True, ["a2"], "done_twice") == (
        found.score < 100,
        [place.agent_id for place in found.evidence],
        found.failure_tag,
    )


def test_a_failed_start_costs() -> None:
    """A call that was to start a sub-agent and failed belongs to orchestration, too."""
    tried = transcript(
        ("user", "Where are refunds handled?"),
        tool("Task", {"prompt": "Find it."}, result=REPORT),
        tool("Task", {}, result="InputValidationError: prompt is missing", is_error=True),
        ("assistant", USED),
        subsessions=(GOOD,),
    )
    assert scored(tried, "subagent_orchestration").score < 100


def test_a_nested_sub_agent_belongs_to_its_parent() -> None:
    """Its report is looked for in the messages of the sub-agent that started it."""
    parent = sub(
        "a1",
        ("user", "Find it."),
        tool("Task", {"prompt": "Search."}, result=REPORT),
        ("assistant", USED),
    )
    nested = sub("a2", ("user", "Search."), READ, ("assistant", REPORT), parent="a1")
    assert scored(session(parent, nested, answer=USED), "subagent_orchestration").score == 100
