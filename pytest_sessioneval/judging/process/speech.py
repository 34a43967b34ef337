"""What people and agents say, as far as fixed English phrases show it.

Phrases, not understanding: what is said in other words, or in another language,
is not found. Each pattern was read against real sessions; those that also caught
answers to a question ("No, I do not want insurance") were dropped.
"""

from __future__ import annotations

import re

__all__ = ["claims_success", "corrects", "declines", "same_words"]

_BEGINNING = 400

_CORRECTION = re.compile(
    r"""\b(?:
      not\ what\ i\ (?:asked|meant|wanted|said|requested|need)
    | (?:that|this)(?:'s|\ is|\ was|\ isn't|\ is\ not)\ (?:wrong|incorrect|not\ (?:right|correct|
        true|what)|right\ at\ all)
    | (?:that|this|it)\ isn't\ (?:right|correct|what\ i)
    | ^no[,.! ]+(?:i\ (?:said|meant|wanted|asked)|that|you)\b(?!.{0,4}\b(?:all|it|everything)\b)
        (?=.{0,80}\b(?:not|wrong|said|meant|wanted|asked|didn't|misunder))
    | i\ (?:already|just)\ (?:said|told\ you|mentioned|gave\ you|provided|answered|explained|
        asked)
    | (?:as|like)\ i\ (?:said|told\ you|mentioned|asked)\b
    | i\ (?:said|told\ you|asked\ you)\b(?!\ that\ i\ would)
    | actually,?\ i\ (?:wanted|meant|said|asked)\b
    | i\ (?:meant|wanted)\ .{1,60},?\ (?:and\ )?not\b
    | should\ (?:actually\ )?be\ .{1,40},\ not\b
    | you(?:'ve|\ have)?\ (?:misunderstood|misread|misheard|forgot|missed|ignored|skipped|broke|
        overlooked|made\ a\ mistake|got\ (?:it|that|this)\ wrong|are\ (?:wrong|mistaken))
    | you\ (?:didn't|did\ not|haven't|have\ not)\ (?:do|answer|read|listen|fix|address|change|
        update|follow|include|add|actually)\b
    | you\ (?:\w+\ ){1,2}the\ wrong\b
    | there\ (?:is|must\ be|seems\ to\ be|has\ been)\ (?:some|a)\ (?:confusion|mistake|
        misunderstanding|mix-?up)
    | (?:that|this|it)\ (?:didn't|did\ not)\ (?:work|help|fix)
    | (?:undo|revert)\ (?:that|this|it|your|the\ last)\b
    | why\ (?:did|didn't|won't|don't|haven't)\ you\b | don't\ do\ that\b | stop\ doing\b
    )""",
    re.VERBOSE,
)
_CONDITION = re.compile(r"\b(?:if|unless|in case|whether|suppose)\b[^.!?]*$", re.IGNORECASE)
_QUOTED = re.compile(r"```.*?```|`[^`\n]*`|\"[^\"\n]*\"|^>.*$", re.DOTALL | re.MULTILINE)

_DECLINING = re.compile(
    r"\b(?:i(?:'m| am) (?:unable|not able|not allowed|not permitted|afraid)|i (?:cannot|can't|"
    r"can not|won't)|unfortunately|transferr(?:ed|ing) (?:you )?to)\b",
    re.IGNORECASE,
)
_SUCCESS = re.compile(
    r"\b(?:successfully|has been|have been|is now|are now|all (?:tests|checks) pass|"
    r"(?:done|fixed|completed|finished|resolved)\b[.!]|works? now|✅)",
    re.IGNORECASE,
)
_RESERVATION = re.compile(
    r"\b(?:unfortunately|unable|fail(?:ed|s|ing|ure)?|errors?|couldn't|could not|cannot|can't|"
    r"however|did not|didn't|issue|problem|blocked|not (?:yet|able|possible)|denied|apolog\w+|"
    r"sorry|except|but)\b",
    re.IGNORECASE,
)
_SPACES = re.compile(r"\W+")


def corrects(text: str) -> str | None:
    """Return the words in which a user sets the agent right, as they stand; None for none.

    Only the beginning of a message is searched, and neither code nor quotations.
    """
    beginning = text[:_BEGINNING].replace("’", "'")
    lower = beginning.lower()
    if len(lower) == len(beginning):  # in a few scripts lower case is longer
        beginning = lower
    for match in _CORRECTION.finditer(beginning):
        quoted = (span.span() for span in _QUOTED.finditer(beginning))
        if any(start <= match.start() < end for start, end in quoted):
            continue
        if _CONDITION.search(beginning[: match.start()]):
            continue
        return text[match.start() : _clause_end(text, match.end())].strip()
    return None


def declines(text: str) -> bool:
    """Return whether the agent says that it cannot, or hands over; often rightly so."""
    return _DECLINING.search(text.replace("’", "'")) is not None


def claims_success(text: str) -> str | None:
    """Return the words that claim success without any reservation; None for none."""
    plain = text.replace("’", "'")
    match = _SUCCESS.search(plain)
    if match is None or _RESERVATION.search(plain):
        return None
    return text[match.start() : match.end()]


def same_words(text: str) -> str:
    """Return the text's words alone, in lower case: equal for messages that say the same."""
    return _SPACES.sub(" ", text).strip().lower()


def _clause_end(text: str, end: int) -> int:
    """Return where the clause around ``end`` stops, at most 120 characters on."""
    for position in range(end, min(len(text), end + 120)):
        if text[position] in ".!?\n":
            return position
    return min(len(text), end + 120)
