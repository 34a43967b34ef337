"""Reading a session that is too long, part by part, once for all experts of a judge."""

from __future__ import annotations

from pytest_sessioneval.errors import ReplyError
from pytest_sessioneval.judging.asking import Asking, check_whole, with_repair
from pytest_sessioneval.judging.extraction import Extract, read_extract
from pytest_sessioneval.judging.long_sessions import Shown, in_parts, room, together
from pytest_sessioneval.judging.masking import masked
from pytest_sessioneval.judging.model import Case, Completion, Prompt
from pytest_sessioneval.judging.shared import Shared
from pytest_sessioneval.transcripts.excerpt import Excerpt

__all__ = ["Readings", "read_in_parts"]

_EXTRACTS, _SHOWN = 256, 8


class Readings:
    """What was read of long sessions in parts, and what they are scored on."""

    def __init__(self) -> None:
        self.extracts: Shared[tuple[Extract, ...]] = Shared(_EXTRACTS)
        self.shown: Shared[Shown] = Shared(_SHOWN)


def read_in_parts(case: Case, asking: Asking, readings: Readings) -> Shown:
    """Return what the session is scored on: readers' quotes within a skeleton.

    The parts are read now unless ``readings`` holds what was read of them for
    another expert, in the same repetition. Nothing is kept of a reading that
    failed: asking again is safe. Raises as ``Asking.complete`` does, and
    ``ReplyError`` where a part's reader was not understood twice.
    """
    reading = (case.nonce, case.repeat, case.rubric, case.context_tokens, case.reply_tokens)
    showing = (*reading, case.profile, room(case))

    def shown() -> Shown:
        parts = in_parts(case)

        def extracts() -> tuple[Extract, ...]:
            return tuple(
                _extract(case, asking, prompt, part, parts.most)
                for prompt, part in zip(parts.prompts, parts.excerpts, strict=True)
            )

        return together(case, parts, readings.extracts.get(reading, extracts))

    return readings.shown.get(showing, shown)


def _extract(case: Case, asking: Asking, prompt: Prompt, part: Excerpt, most: int) -> Extract:
    completion = asking.complete(prompt, 0)
    try:
        return _found(case, completion, part, most)
    except ReplyError as error:
        again = asking.complete(with_repair(prompt, completion.text, str(error), case), 1)
        try:
            return _found(case, again, part, most)
        except ReplyError as still:
            number = 1 + (prompt.segment or 0)
            raise ReplyError(
                f"part {number} of the session: {still} (after one repair; at first: {error})"
            ) from None


def _found(case: Case, completion: Completion, part: Excerpt, most: int) -> Extract:
    check_whole(completion)
    # A passage that addresses a judge is quoted for none, not even in pieces.
    quotable = masked(part, case.rubric.axis_names).excerpt
    return read_extract(completion.text, case, quotable.messages, most=most)
