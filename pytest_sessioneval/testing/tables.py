"""A judge that fills the tables of metrics: by words, and with quotes that verify."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import TYPE_CHECKING, Any

from pytest_sessioneval.transcripts.model import JsonObject

if TYPE_CHECKING:
    from pytest_sessioneval.testing.requests import JudgeRequest

__all__ = ["embedding", "filled_tables", "questions_from", "related", "says", "sentences"]

_DIMENSIONS = 64
_LONGEST_QUOTE = 300
_FEWEST_LETTERS = 4
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_COLUMN = re.compile(r"^- (contexts|ground_truth|answer): ", re.MULTILINE)
_PLACES = {
    "contexts": re.compile(r"^The contexts, best first, are messages (.*)\.$", re.MULTILINE),
    "answer": re.compile(r"^The answer is message (.*)\.$", re.MULTILINE),
}


def filled_tables(request: JudgeRequest) -> str:
    """Return a reply with every table asked for.

    Statements are sentences. One is found in a text that holds all its words of
    four letters and more; a context is useful that shares such a word with the
    ground truth, or with the answer where there is none. An answer that only says
    "don't know" commits to nothing.
    """
    texts = {
        "contexts": {label: request.messages[label][1] for label in _labels(request, "contexts")},
        "answer": {label: request.messages[label][1] for label in _labels(request, "answer")},
        "ground_truth": {"G": request.ground_truth} if request.ground_truth else {},
    }
    reply: dict[str, Any] = {"nonce": request.nonce, "instructions_found_in_transcript": []}
    for name, described in request.tables.items():
        if name == "contexts":
            against = texts["ground_truth"] or texts["answer"]
            reply[name] = [_judged(label, text, against) for label, text in texts[name].items()]
        elif name == "questions":
            answer = " ".join(texts["answer"].values())
            evades = not sentences(answer)
            reply[name] = {"noncommittal": evades, "questions": questions_from(answer)}
        else:
            source = " ".join(texts[name.removesuffix("_statements")].values())
            columns = _COLUMN.findall(described)
            reply[name] = [
                {"statement": each, **{column: _mark(each, texts[column]) for column in columns}}
                for each in sentences(source)
            ]
    return json.dumps(reply, ensure_ascii=False)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text that state something, by its words."""
    found = _SENTENCE_END.split(text)
    return [each for each in found if _words(each) and "don't know" not in each]


def says(text: str, statement: str) -> bool:
    """Return whether a text holds all of a statement's words of four letters and more."""
    return _words(statement) <= _words(text)


def related(one: str, other: str) -> bool:
    """Return whether two texts share a word of four letters or more."""
    return bool(_words(one) & _words(other))


def questions_from(answer: str) -> list[str]:
    """Return three questions in the words of an answer."""
    return [f"{word} {answer[:80]}?" for word in ("What is", "Why is", "When is")]


def embedding(text: str) -> list[float]:
    """Return a vector of 64 numbers: texts that share words have a positive cosine."""
    vector = [0.0] * _DIMENSIONS
    for word in _WORD.findall(text.casefold()):
        vector[hashlib.sha256(word.encode()).digest()[0] % _DIMENSIONS] += 1.0
    length = math.hypot(*vector) or 1.0
    return [number / length for number in vector]


def _labels(request: JudgeRequest, name: str) -> list[str]:
    found = _PLACES[name].search(request.text)
    return found.group(1).split(", ") if found else []


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.casefold()) if len(word) >= _FEWEST_LETTERS}


def _mark(statement: str, texts: dict[str, str]) -> JsonObject:
    for label, text in texts.items():
        if says(text, statement):
            return {"found": True, "message": label, "quote": text[:_LONGEST_QUOTE]}
    return {"found": False, "message": None, "quote": ""}


def _judged(label: str, text: str, against: dict[str, str]) -> JsonObject:
    useful = related(text, " ".join(against.values()))
    return {"message": label, "useful": useful, "quote": text[:_LONGEST_QUOTE] if useful else ""}
