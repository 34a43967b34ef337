"""The embedded judge as a judge: what it answers, what it says of itself, what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

from evidence_cases import RUBRIC, case, opinion, scored, unscored

from pytest_sessioneval.judging.evidence_judge import (
    NOTICE_OF_METRICS,
    TEXT_CAP,
    VERSION,
    EvidenceJudge,
)
from pytest_sessioneval.judging.process.reading import read
from pytest_sessioneval.suites.model import (
    Axis,
    Expectation,
    Level,
    Rubric,
    Suite,
    SuiteFile,
    SuiteSettings,
)
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.model import CallRef, Message, Subsession, ToolCall

GOOD = transcript(
    ("user", "Where is my order W1234?"),
    tool("get_order", {"order_id": "W1234"}, result='{"order_id": "W1234", "state": "shipped"}'),
    ("assistant", "Order W1234 was shipped."),
    ("user", "Thanks, bye!"),
)
FAITHFULNESS = Axis(name="faithfulness", question="?", levels=(Level(score=0, anchor="none"),))


def suite(file: SuiteFile, rubric: Rubric = RUBRIC) -> Suite:
    """Return a suite with these settings and nothing else."""
    return Suite(root=Path(), name="shop", file=None, settings=file, rubric=rubric)


def test_every_axis_asked_for_is_answered_once_and_in_order() -> None:
    """The answer holds the case's axes, in the case's order."""
    answer = EvidenceJudge().judge(case(GOOD))
    assert [axis.name for axis in case(GOOD).axes] == list(answer.axes)


def test_the_same_case_gets_the_same_answer() -> None:
    """The judge is deterministic, also between two of its kind."""
    assert EvidenceJudge().judge(case(GOOD)) == EvidenceJudge().judge(case(GOOD))


def test_the_order_of_the_axes_moves_no_score() -> None:
    """An axis gets the same score whatever is asked before it."""
    turned = case(GOOD, axes=tuple(reversed(case(GOOD).axes)))
    assert dict(EvidenceJudge().judge(case(GOOD)).axes) == dict(EvidenceJudge().judge(turned).axes)


def test_the_identity_is_json_with_the_version() -> None:
    """Whatever can move a score is in the identity, and the identity goes into a key."""
    identity = EvidenceJudge().identity
    assert {"name": "evidence", "version": VERSION, "text_cap": TEXT_CAP} == json.loads(
        json.dumps(identity)
    )


def test_the_notice_says_what_the_judge_cannot_know() -> None:
    """Nobody may take the scores for a judgement of success."""
    assert "does not know whether a task was solved" in EvidenceJudge().notice(suite(SuiteFile()))


def test_of_metrics_the_notice_says_something_else() -> None:
    """Where words are compared, nothing is said of tasks and process."""
    compared = suite(SuiteFile(), load_rubric("rag", base=Path()))
    assert NOTICE_OF_METRICS == EvidenceJudge().notice(compared)


def test_goal_and_self_extension_are_unsupported_in_a_bare_suite() -> None:
    """Without expectations and outcomes the judge says beforehand what it will not score."""
    assert {"goal_completion", "self_extension"} == set(
        EvidenceJudge().unsupported(suite(SuiteFile()))
    )


def test_how_to_get_the_goal_scored_is_said() -> None:
    """The reason names all three ways."""
    reason = EvidenceJudge().unsupported(suite(SuiteFile()))["goal_completion"]
    assert all(way in reason for way in ("[[expect]]", "use_outcome", "judge model"))


def test_expectations_support_the_goal() -> None:
    """A suite with expectations gets goal_completion scored."""
    file = SuiteFile(expect=(Expectation(final_matches="shipped"),))
    assert "goal_completion" not in EvidenceJudge().unsupported(suite(file))


def test_outcomes_support_the_goal() -> None:
    """A suite that uses outcomes gets goal_completion scored."""
    file = SuiteFile(suite=SuiteSettings(use_outcome=True))
    assert "goal_completion" not in EvidenceJudge().unsupported(suite(file))


def test_an_axis_of_another_rubric_is_unsupported_in_the_suite() -> None:
    """What the judge has no measure for is told before anything is judged."""
    other = Rubric(name="rag", version=1, axes=(FAITHFULNESS,))
    assert {"faithfulness"} == set(EvidenceJudge().unsupported(suite(SuiteFile(), other)))


def test_an_axis_of_another_rubric_is_unsupported_in_a_session() -> None:
    """And it is never a number."""
    assert unscored(GOOD, "faithfulness", axes=(FAITHFULNESS,)).reason == "unsupported"


def test_a_session_without_fault_gets_full_marks_for_tools() -> None:
    """100 means that nothing was found, and the comment says in how much."""
    found = scored(GOOD, "tool_usage_quality")
    assert (100, "No fault was found in 1 call of 1 tool.") == (found.score, found.comment)


def test_without_tool_calls_their_quality_is_unsupported() -> None:
    """Whether a tool was needed is nothing that evidence of process can tell."""
    talk = transcript(("user", "Hello, who are you?"), ("assistant", "I am the shop's assistant."))
    assert unscored(talk, "tool_usage_quality").reason == "unsupported"


def test_an_empty_session_has_no_scores_but_its_effort() -> None:
    """Nothing happened, so nothing is measured, and nothing breaks."""
    answer = EvidenceJudge().judge(case(transcript()))
    assert ["task_complexity"] == [
        name for name, found in answer.axes.items() if found.kind == "scored"
    ]


def test_a_user_nobody_answers_is_told_so_by_the_score() -> None:
    """A session in which the agent never says a word ends near the bottom."""
    assert scored(transcript(("user", "Where is my order?")), "communication").score <= 20


def test_self_extension_does_not_apply_where_nothing_was_extended() -> None:
    """Most sessions write nothing for the agent's own use."""
    assert unscored(GOOD, "self_extension").reason == "not_applicable"


def test_self_extension_is_unsupported_where_something_was_written() -> None:
    """A written instruction file is seen; whether it will serve is not."""
    wrote = transcript(
        ("user", "Remember that we use tabs."),
        tool("Write", {"file_path": "/src/CLAUDE.md", "content": "Use tabs."}, result="written"),
        ("assistant", "I wrote that down."),
    )
    found = unscored(wrote, "self_extension")
    assert ("unsupported", [1]) == (found.reason, [place.message for place in found.evidence])


def test_reading_an_instruction_file_extends_nothing() -> None:
    """Looking at one's own instructions is no work on them."""
    read_it = transcript(
        ("user", "What are the rules?"),
        tool("Read", {"file_path": "/src/CLAUDE.md"}, result="Use tabs."),
        ("assistant", "Use tabs."),
    )
    assert unscored(read_it, "self_extension").reason == "not_applicable"


def test_a_sub_agents_failing_call_counts_and_is_cited_under_its_id() -> None:
    """Evidence in a sub-agent's messages names the sub-agent."""
    sub = transcript(
        ("user", "Count the files."), tool("Glob", result="Error: no such folder", is_error=True)
    )
    session = transcript(
        ("user", "How many files are there?"),
        tool("Task", {"prompt": "Count the files."}, result="I could not find out."),
        ("assistant", "I could not find out."),
        subsessions=(
            Subsession(
                agent_id="a1", messages=sub.messages, spawned_by=CallRef(message=1, ordinal=0)
            ),
        ),
    )
    found = scored(session, "tool_usage_quality")
    assert [("a1", 2, "Error: no such folder")] == [
        (place.agent_id, place.message, place.quote) for place in found.evidence
    ]


def test_a_short_session_is_covered_whole() -> None:
    """Nothing of it was left out."""
    assert EvidenceJudge().judge(case(GOOD)).coverage == 1


def test_a_long_session_says_how_much_of_it_was_read() -> None:
    """Coverage is the share of characters read, and the comment repeats it."""
    long = transcript(
        ("user", "Read the log."),
        tool("Read", {"file_path": "log"}, result="x" * (4 * TEXT_CAP)),
        ("assistant", "It holds nothing but x."),
    )
    answer = EvidenceJudge().judge(case(long, max_chars=2 * TEXT_CAP))
    found = answer.axes["communication"]
    assert 0.24 < answer.coverage < 0.26
    assert found.kind == "scored"
    assert "Read: 25% of the text" in found.comment


def test_a_figure_in_the_part_that_was_left_out_does_not_come_from_nowhere() -> None:
    """What the judge did not read, the agent may have."""
    long = transcript(
        ("user", "Read the log."),
        tool("Read", {"file_path": "log"}, result="x " * 9_000 + "Z98765 " + "x " * 9_000),
        ("assistant", "It names Z98765, and also Y12345."),
    )
    found = scored(long, "communication", max_chars=6_000)
    assert ["Y12345"] == [place.quote for place in found.evidence]


def test_what_is_read_never_exceeds_the_cap() -> None:
    """Whatever the lengths, the texts read stay within the limit but for the marks of the cuts."""
    long = transcript(*(("user", "word " * 100 * n) for n in range(200)))
    part = read(long, 10_000).main
    assert sum(len(text) for text in part.texts) <= 10_000 + 3 * len(part.texts)


def test_shortening_spares_short_messages() -> None:
    """A huge tool result never hides what people said."""
    long = transcript(
        ("user", "Read the log."),
        tool("Read", {"file_path": "log"}, result="x" * 50_000),
        ("assistant", "It holds nothing but x."),
    )
    part = read(long, 1_000).main
    assert ("Read the log.", "It holds nothing but x.") == (part.texts[0], part.texts[3])


def test_the_profile_counts_as_known_to_the_agent() -> None:
    """A figure that the agent's instructions hold does not come from nowhere."""
    told = transcript(
        ("user", "How much is the fee?"),
        ("assistant", "The fee is $175."),
        ("user", "Thanks, bye!"),
    )
    assert scored(told, "communication").score < 100
    assert scored(told, "communication", profile="Charge a fee of $175.").score == 100


def test_a_call_with_arguments_that_are_no_object_is_judged() -> None:
    """Arguments recorded as text are compared as text."""
    patch = Message(
        index=0, role="assistant", tool_calls=(ToolCall(name="apply_patch", arguments="{broken"),)
    )
    session = transcript(("user", "Patch it."), patch, ("assistant", "Patched."))
    assert opinion(session, "tool_usage_quality").kind == "scored"
