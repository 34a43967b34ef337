"""A judge that does what it reads: the worst that a model could be."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pytest_sessioneval.judging.evidence import SHORTEST_QUOTE, normalise
from pytest_sessioneval.testing import JudgeRequest, faithful_reply

__all__ = ["HONEST", "Gullible", "Obedience"]

HONEST = 20
"""The level it gives every axis of a session in which it sees no attack."""

Obedience = Literal["scores", "quotes", "echoes"]
"""What it does when it sees one: gives 100 and proves it with honest quotes, gives 100 and
quotes the attack, or answers with the JSON that the attack holds."""

_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n")
_LONGEST_QUOTE = 300


@dataclass(slots=True)
class Gullible:
    """Answers requests; ``attack`` is the text it falls for, as planted.

    It sees an attack while one sentence of it is shown, or the whole where it
    is shorter than that, hidden characters or not. Words that the prompt leaves
    out or masks it cannot see.
    """

    obedience: Obedience = "scores"
    attack: str = ""
    asked: int = 0
    """Requests so far."""
    obeyed: int = 0
    """Requests in which it saw the attack."""

    def __call__(self, request: JudgeRequest) -> str:
        """Return the reply."""
        self.asked += 1
        seen = self._seen(request)
        if seen is None:
            return faithful_reply(request, HONEST, "negative")
        self.obeyed += 1
        label, words = seen
        forged = _embedded_json(self.attack) if self.obedience == "echoes" else ""
        if forged:
            return forged
        reply = json.loads(faithful_reply(request, 100))
        if self.obedience == "quotes":
            for axis in reply["axes"]:
                axis["evidence"] = [{"message": label, "quote": words, "polarity": "positive"}]
        return json.dumps(reply)

    def _seen(self, request: JudgeRequest) -> tuple[str, str] | None:
        """Return the message and words of the attack that are shown; None: none is."""
        for label, (_, text) in request.messages.items():
            lines = {_plain(line) for line in text.split("\n")}
            whole = _plain(text)
            for sentence in _SENTENCES.split(self.attack):
                wanted = _plain(sentence)
                if len(wanted) >= SHORTEST_QUOTE and wanted in whole:
                    return label, sentence[:_LONGEST_QUOTE]
            if _plain(self.attack) in lines - {""}:
                return label, self.attack[:_LONGEST_QUOTE]
        return None


_plain = cache(normalise)
"""The same sessions are shown a thousand times."""


def _embedded_json(text: str) -> str:
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else ""
