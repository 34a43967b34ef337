"""The conversation: answers, open ends, corrections, repetitions."""

from __future__ import annotations

from evidence_cases import calling, main_part

from pytest_sessioneval.judging.process.turns import Conversation, conversation
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.testing.transcripts import ToolTurn
from pytest_sessioneval.transcripts.model import Message

ASK = ("user", "Where is my order W1?")
ANSWER = ("assistant", "It was shipped on Monday and should arrive tomorrow.")
LOOK = tool("get_order", {"id": "W1"}, result="shipped")
LONG = "I could not find that order; could you check the number again?"


def heard(*turns: tuple[str, str] | ToolTurn | Message) -> Conversation:
    """Return the conversation of these turns."""
    return conversation(main_part(transcript(*turns)))


def interrupt(text: str = "[Request interrupted by user]") -> Message:
    """Return a request that the user broke off."""
    return Message(index=0, role="user", kind="interrupt", text=text)


def test_an_answered_question_leaves_nothing_open() -> None:
    """Question, work, answer, farewell."""
    seen = heard(ASK, LOOK, ANSWER, ("user", "Thanks!"))
    assert ([0], [], None) == (seen.requests, seen.unanswered, seen.unfinished)


def test_a_last_question_without_answer_is_unanswered() -> None:
    """The session ends with the user waiting."""
    assert [2] == heard(ASK, ANSWER, ("user", "And where is W2?")).unanswered


def test_thanks_are_no_question_unless_the_agent_had_asked() -> None:
    """'The blue one, thanks' answers a question, and wants an answer itself."""
    thanks = ("user", "She will be over the moon. Thank you!")
    assert [] == heard(ASK, ANSWER, thanks).unanswered
    assert [2] == heard(ASK, ("assistant", "Which one is it?"), thanks).unanswered


def test_a_first_message_with_thanks_is_a_request() -> None:
    """Nobody takes leave before anything was said."""
    assert [0] == heard(("user", "My order W1 never came. Thanks!")).unanswered


def test_work_without_a_word_leaves_the_question_unanswered() -> None:
    """The agent called tools, said nothing, and the user spoke again."""
    assert [0] == heard(ASK, LOOK, ("user", "Hello? Anybody there?"), ANSWER).unanswered


def test_two_messages_in_a_row_are_one_question() -> None:
    """A user who adds something was not ignored."""
    assert [] == heard(ASK, ("user", "It is the blue one."), ANSWER).unanswered


def test_a_session_that_ends_in_a_result_is_unfinished() -> None:
    """Nobody told the user what came of it."""
    assert heard(ASK, ("assistant", "One moment."), LOOK).unfinished == 3


def test_a_session_that_ends_in_a_hand_over_is_finished() -> None:
    """After a transfer somebody else speaks."""
    over = tool("transfer_to_human_agents", {"summary": "…"}, result="Transfer successful")
    assert heard(ASK, ("assistant", "I will hand you over."), over).unfinished is None


def test_an_interrupted_request_is_not_unanswered() -> None:
    """The user did not wait for the answer."""
    seen = heard(ASK, calling(("get_order", {})), interrupt())
    assert ([], None, [2]) == (seen.unanswered, seen.unfinished, seen.interrupts)


def test_an_agent_that_never_speaks_is_silent() -> None:
    """The first request is what it left without a word."""
    assert heard(ASK, LOOK).silent == 0


def test_a_correction_counts_after_the_agent_has_spoken() -> None:
    """Before that, there is nothing to set right."""
    wrong = ("user", "That is not what I asked for.")
    assert [(2, "That is not what I asked for")] == heard(ASK, ANSWER, wrong, ANSWER).corrections
    assert [] == heard(wrong, ANSWER).corrections


def test_saying_the_same_again_is_noticed_on_both_sides() -> None:
    """Words count, not their case or punctuation."""
    seen = heard(ASK, ("assistant", LONG), ("user", "where is my order, W1"), ("assistant", LONG))
    assert ([(0, 2)], [(1, 3)]) == (seen.asked_again, seen.repeated)


def test_a_short_phrase_may_be_said_twice() -> None:
    """'Let me check.' is no repetition worth telling."""
    seen = heard(ASK, ("assistant", "Let me check."), ASK, ("assistant", "Let me check."))
    assert [] == seen.repeated


def test_a_command_the_agent_acts_on_is_a_request() -> None:
    """Slash commands ask for work without plain words."""
    command = Message(index=0, role="user", kind="command", text="<command-name>/init")
    assert [0] == heard(command, LOOK, ANSWER).requests


def test_a_command_nobody_acts_on_is_none() -> None:
    """/exit asks the agent for nothing."""
    command = Message(index=0, role="user", kind="command", text="<command-name>/exit")
    assert [0] == heard(ASK, ANSWER, command).requests


def test_compactions_are_counted() -> None:
    """A summary that replaced messages is nobody's turn."""
    summary = Message(index=0, role="user", kind="compaction", text="This session continues …")
    seen = heard(ASK, ANSWER, summary, ("assistant", "I go on with the second part now."))
    assert ([2], [0]) == (seen.compactions, seen.requests)


def test_asking_the_user_by_tool_answers_the_user() -> None:
    """A question put through a tool reaches the user."""
    asks = tool("AskUserQuestion", {"question": "Which one?"}, result="The blue one")
    assert [] == heard(ASK, asks, ("user", "Go on then, please."), ANSWER).unanswered
