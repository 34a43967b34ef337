"""Saved replies: written while a model judges, replayed through the same reading.

A recording is JSON Lines, one ``RecordedReply`` a line. The session's nonce is
replaced by ``{{NONCE}}``, so that a replay in another run, with another nonce,
is accepted as the reply was. A replay has the identity of the judge it was
recorded from, so its verdicts have the same keys and versions.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from pytest_sessioneval.errors import (
    Place,
    ReplyError,
    SettingError,
    SuiteError,
    TransportError,
)
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.judging.keys import digest_of
from pytest_sessioneval.judging.long_sessions import READER
from pytest_sessioneval.judging.metrics.comparing import without_embeddings
from pytest_sessioneval.judging.model import Answer, Case, Completion, Prompt
from pytest_sessioneval.judging.part_reading import Readings
from pytest_sessioneval.judging.prompted import MASKED_TURN, converse
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.digest import digest
from pytest_sessioneval.transcripts.model import JsonObject
from pytest_sessioneval.transcripts.strict_json import JsonError, parse_strict
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["NONCE", "RECORD", "RecordedJudge", "RecordedReply", "ReplyRecorder", "read_recording"]

RECORD = "SESSIONEVAL_RECORD"
"""The environment variable that names the file replies are appended to."""

NONCE = "{{NONCE}}"
"""Stands for the session's nonce in a saved reply."""

_DEPTH = 32

_Place = tuple[str, str, int, int, int | None]
"""Session or digest, expert, repeat, turn, part."""


class RecordedReply(Frozen):
    """One reply of a judge."""

    session_id: str | None = None
    """The session; with ``digest`` it is for people only."""
    digest: str | None = None
    """The transcript that was judged; null: whatever the session's transcript is now."""
    expert: str
    """The expert that was asked."""
    repeat: Annotated[int, Field(ge=0)] = 0
    """Which repetition, from 0."""
    turn: Annotated[int, Field(ge=0, le=3)] = 0
    """0: the first reply; 1: the reply to the request for a repair; 2 and 3: the same, of the
    question with text masked that addresses the judge."""
    segment: Annotated[int | None, Field(ge=0)] = None
    """The part of a long session that was read for evidence, from 0; null: it was scored."""
    reply: str
    """The text as it came, with ``{{NONCE}}`` for the nonce."""
    model: str = ""
    """The model that answered, as it named itself."""
    refused: bool = False
    """The provider marked the reply as a refusal."""
    truncated: bool = False
    """The reply was cut at the longest length asked for."""
    judge: JsonObject | None = None
    """The identity of the judge: all about it that can move a score."""
    judge_version: str = ""
    """Names the judge where ``judge`` does not: any text that changes with it."""


class ReplyRecorder:
    """Appends every reply it is told of to a file, from any thread; see ``prompted.Listener``."""

    def __init__(self, path: Path, identity: Mapping[str, Any], name: str) -> None:
        self._path = path
        self._identity = dict(identity)
        self._version = f"{name}#{digest_of(self._identity)[:8]}"
        self._writing = threading.Lock()

    def __call__(self, case: Case, turn: int, completion: Completion) -> None:
        """Append one line; raises ``SettingError`` where the file cannot be written."""
        saved = RecordedReply(
            session_id=case.session_id,
            digest=digest(case.transcript),
            expert=case.expert.id,
            repeat=case.repeat,
            turn=turn,
            segment=case.segment,
            reply=completion.text.replace(case.nonce, NONCE),
            model=completion.model,
            refused=completion.refused,
            truncated=completion.truncated,
            judge=self._identity,
            judge_version=self._version,
        )
        line = json.dumps(saved.model_dump(exclude_defaults=True), ensure_ascii=False) + "\n"
        with self._writing:
            self._append(line.encode("utf-8", "replace"))

    def _append(self, line: bytes) -> None:
        """Write the whole line at once: several processes may record into one file."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        except OSError as error:
            raise SettingError(
                f"{RECORD}: replies cannot be saved to {self._path}: {error.strerror or error}"
            ) from None


def read_recording(path: Path) -> tuple[RecordedReply, ...]:
    """Return a recording's replies in file order.

    Raises ``SettingError`` where there is no such file and ``SuiteError``,
    naming the line, where one is no recorded reply.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingError(
            f"recorded:{path} cannot be read: {reason}; record one with {RECORD}=PATH and a "
            "judge that can be asked"
        ) from None
    return tuple(
        _reply(line, Place(str(path), number))
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    )


def _reply(line: str, place: Place) -> RecordedReply:
    try:
        reply = RecordedReply.model_validate(parse_strict(line, depth=_DEPTH))
    except JsonError as fault:
        raise SuiteError(f"no recorded reply: {fault}", place=place) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SuiteError(f"no recorded reply: {where}: {first['msg']}", place=place) from None
    if reply.session_id is None and reply.digest is None:
        raise SuiteError("a recorded reply needs session_id or digest", place=place)
    return reply


class RecordedJudge:
    """Answers with saved replies; asks nobody.

    Of two replies to the same question the later counts. A reply saved with a
    digest answers for that transcript only.
    """

    sees_metadata = False
    shares_prefix = False

    def __init__(self, path: Path, replies: Iterable[RecordedReply]) -> None:
        self._path = path
        self._readings = Readings()
        self._by_digest: dict[_Place, RecordedReply] = {}
        self._by_session: dict[_Place, RecordedReply] = {}
        self._stale: dict[str, str] = {}
        identities: dict[str, JsonObject] = {}
        versions: dict[str, None] = {}
        for reply in replies:
            seat = (reply.expert, reply.repeat, reply.turn, reply.segment)
            if reply.digest is not None:
                self._by_digest[(reply.digest, *seat)] = reply
                if reply.session_id is not None:
                    self._stale[reply.session_id] = reply.digest
            elif reply.session_id is not None:
                self._by_session[(reply.session_id, *seat)] = reply
            made_by = reply.judge or {"judge": "recorded", "judge_version": reply.judge_version}
            identities[digest_of(made_by)] = made_by
            versions[reply.judge_version or _name(made_by)] = None
        self._identities = [identities[key] for key in sorted(identities)]
        single = len(self._identities) == 1
        self.name = _name(self._identities[0]) if single else "recorded"
        listed = ", ".join(version for version in versions if version) or "an unnamed judge"
        self._notice = f"Replies were replayed from {path.name}, recorded from {listed}."

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return the identity of the judge that was recorded, or of all of them."""
        if len(self._identities) == 1:
            return self._identities[0]
        return {"judge": "recorded", "of": self._identities}

    def notice(self, suite: Suite) -> str:  # noqa: ARG002
        """Return where the replies come from."""
        return self._notice

    def unsupported(self, suite: Suite) -> Mapping[str, str]:
        """Return the metrics that compare texts; what else is missing is told per session."""
        return without_embeddings(suite, "a recording holds replies and no embeddings")

    def judge(self, case: Case) -> Answer:
        """Return what the saved reply says; ``TransportError`` where there is none."""
        transcript = digest(case.transcript)

        def ask(prompt: Prompt) -> Completion:
            turn = (MASKED_TURN if prompt.masked else 0) + (prompt.repair is not None)
            found = self._found(case, transcript, turn, prompt.segment)
            if found is None:
                raise self._missing(case, transcript, turn, prompt.segment)
            return Completion(
                text=found.reply.replace(NONCE, case.nonce),
                model=found.model or self.name,
                spent=CallCount(),
                refused=found.refused,
                truncated=found.truncated,
            )

        masked = self._found(case, transcript, MASKED_TURN)
        readings, again = self._readings, masked is not None
        return converse(case, ask, readings=readings, may_ask_again=again)

    def close(self) -> None:
        """Do nothing: no connection is held."""

    def _found(
        self, case: Case, transcript: str, turn: int, segment: int | None = None
    ) -> RecordedReply | None:
        asked = case.expert.id if segment is None else READER.id
        seat = (asked, case.repeat, turn, segment)
        found = self._by_digest.get((transcript, *seat))
        return found or self._by_session.get((case.session_id, *seat))

    def _missing(
        self, case: Case, transcript: str, turn: int, segment: int | None
    ) -> ReplyError | TransportError:
        if turn:
            return ReplyError("the recording holds no repaired reply")
        part = "" if segment is None else f"part {segment + 1} as read for "
        what = f"{part}expert {case.expert.id}, repeat {case.repeat}, session {case.session_id}"
        recorded = self._stale.get(case.session_id)
        if recorded is not None and recorded != transcript:
            return TransportError(
                f"{self._path} holds replies on another transcript of this session (digest "
                f"{recorded[:12]}, now {transcript[:12]}): record {what} again with {RECORD}"
            )
        return TransportError(
            f"{self._path} holds no reply for {what}: record it with {RECORD}={self._path} and a "
            "judge that can be asked"
        )


def _name(identity: Mapping[str, Any]) -> str:
    """Return the name the recorded judge had."""
    judge, model = identity.get("judge"), identity.get("model")
    return f"{judge}:{model}" if model else str(judge or "recorded")
