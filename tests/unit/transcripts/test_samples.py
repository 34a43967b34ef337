"""Samples as sessions, and sessions as samples."""

from __future__ import annotations

from hypothesis import given, strategies as st
from transcript_values import calling, result, said, transcript_of

from pytest_sessioneval.transcripts.digest import digest
from pytest_sessioneval.transcripts.model import Message, ToolCall
from pytest_sessioneval.transcripts.redaction import redact
from pytest_sessioneval.transcripts.samples import Sample, places_of, sample_of, session_of

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: text.strip()
)
_IDS = st.none() | st.lists(_TEXTS, max_size=3).map(tuple)
_CALLS = st.lists(st.builds(ToolCall, name=_TEXTS, arguments=st.just({"a": 1})), max_size=2)
_SAMPLES = st.builds(
    Sample,
    question=_TEXTS,
    answer=_TEXTS | st.just(""),
    contexts=st.lists(_TEXTS, max_size=3).map(tuple),
    ground_truth=st.none() | _TEXTS,
    retrieved_ids=_IDS,
    reference_ids=_IDS,
    calls=_CALLS.map(tuple),
    reference_calls=st.none() | _CALLS.map(tuple),
)
SECRET = "ghp_" + "A1b2" * 9


@given(_SAMPLES)
def test_a_session_gives_its_sample_back(sample: Sample) -> None:
    """Nothing is lost on the way."""
    assert sample == sample_of(session_of(sample, "s1"))


@given(_SAMPLES)
def test_messages_are_numbered(sample: Sample) -> None:
    """By their place."""
    indexes = [message.index for message in session_of(sample, "s1").messages]
    assert list(range(len(indexes))) == indexes


def test_a_ground_truth_is_no_message() -> None:
    """Nobody in the session said it."""
    sample = Sample("Why?", "No idea.", ("context",), ground_truth="Because of the tide.")
    said_by_anybody = " ".join(message.text for message in session_of(sample, "s1").messages)
    assert "tide" not in said_by_anybody


def test_a_blank_ground_truth_is_none() -> None:
    """Nothing would be held against it, and a judge would be told that it is there."""
    assert session_of(Sample("Why?", "So.", ground_truth=" \n"), "s1").reference is None


def test_the_digest_covers_the_reference() -> None:
    """Another ground truth is another case to judge; ids alike."""
    samples = [
        Sample("Why?", "So."),
        Sample("Why?", "So.", ground_truth="a"),
        Sample("Why?", "So.", ground_truth="b"),
        Sample("Why?", "So.", reference_ids=("a",)),
        Sample("Why?", "So.", retrieved_ids=("a",)),
        Sample("Why?", "So.", reference_calls=()),
    ]
    assert len(samples) == len({digest(session_of(sample, "s1")) for sample in samples})


def test_secrets_are_replaced_in_what_a_session_is_held_against() -> None:
    """A ground truth, ids and calls are shown, too."""
    wanted = (ToolCall(name="login", arguments={"with": SECRET}),)
    sample = Sample("Why?", "So.", (), SECRET, (SECRET,), (SECRET,), (), wanted)
    assert SECRET not in redact(session_of(sample, "s1")).transcript.model_dump_json()


def test_an_agents_session_is_a_sample_too() -> None:
    """The last question and answer, and what tools returned before it; errors left out."""
    transcript = transcript_of(
        said("user", "Hello"),
        said("assistant", "Hi, what do you want to know?"),
        said("user", "Where is Paris?"),
        calling("search"),
        result("Paris is in France."),
        calling("search"),
        result("time out", is_error=True),
        said("assistant", "In France."),
        said("user", "Thanks", kind="notification"),
    )
    places = places_of(transcript)
    assert (places.question, places.contexts, places.answer) == (2, (4,), 7)
    assert sample_of(transcript).question == "Where is Paris?"
    assert [call.name for call in sample_of(transcript).calls] == ["search", "search"]


def test_a_session_without_an_answer() -> None:
    """Has an empty one."""
    transcript = transcript_of(said("user", "Where is Paris?"), calling("search"), result("France"))
    assert Sample(
        "Where is Paris?", "", ("France",), calls=transcript.messages[1].tool_calls
    ) == sample_of(transcript)


def test_instructions_are_no_question() -> None:
    """Text that the harness injected is not what the user asked."""
    transcript = transcript_of(
        said("user", "Where is Paris?"),
        said("user", "Be brief.", kind="instruction"),
        Message(index=0, role="assistant", text="In France."),
    )
    assert sample_of(transcript).question == "Where is Paris?"
