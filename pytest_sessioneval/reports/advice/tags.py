"""Free text said in many words, put together where the words are nearly the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["error_label", "merged", "merged_tags"]

_ALIKE = 0.5
"""Jaccard similarity of two sets of words from which they say the same (METHOD §5)."""

_COMPARED = 300
"""Most texts that are compared with each other; further ones, the rarest, stand alone."""

_WORD = re.compile(r"[^\W_]+")
_HEAD = 240
_LABEL = 80
_MARKUP = re.compile(r"</?\w+>")
_CODES = (
    (
        re.compile(
            r"\b(?:http|status)(?:[ _]?(?:code|error|status))?[ :=]{1,3}([1-5]\d\d)\b",
            re.IGNORECASE,
        ),
        "HTTP {}",
    ),
    (
        re.compile(
            r"\bexit(?:ed)?(?: with)?(?: exit)? (?:code|status):? *([1-9]\d{0,2})\b", re.IGNORECASE
        ),
        "exit code {}",
    ),
    (re.compile(r"\b([A-Z]\w{0,40}(?:Error|Exception))\b"), "{}"),
    (
        re.compile(
            r"\b(E(?:NOENT|ACCES|PERM|EXIST|NOTDIR|ISDIR|INVAL|CONNREFUSED|CONNRESET|"
            r"TIMEDOUT|PIPE|NOTFOUND|AI_AGAIN|MFILE|NOSPC))\b"
        ),
        "{}",
    ),
)
_TROUBLE = re.compile(
    r"error|exception|traceback|denied|refused|reject|fail|timed out|not found|no such|invalid|"
    r"not available|unavailable|not enough|cannot|unable",
    re.IGNORECASE,
)
_LEAD = re.compile(r"^\W*(?:error|err|exception|fatal|failure|failed)\b\W*", re.IGNORECASE)
_VARIES = re.compile(r"\"[^\"]{1,80}\"|'[^']{1,80}'|[#\w./:-]*\d[\w./:-]*|(?:/[\w.-]+){2,}")


def merged(counts: Mapping[str, int]) -> dict[str, str]:
    """Return for every text the one it is told as: the most frequent of its group, else the first.

    Texts whose sets of words have a Jaccard similarity of at least one half are
    one group, and so is what a chain of such pairs connects (single link).
    """
    order = sorted(counts, key=lambda text: (-counts[text], text))
    words = [frozenset(_words(text)) for text in order[:_COMPARED]]
    first = list(range(len(words)))

    def root(place: int) -> int:
        while first[place] != place:
            first[place] = first[first[place]]
            place = first[place]
        return place

    for later, ours in enumerate(words):
        for earlier in range(later):
            theirs = words[earlier]
            shared = len(ours & theirs)
            if shared and shared >= _ALIKE * (len(ours) + len(theirs) - shared):
                one, other = sorted((root(earlier), root(later)))
                first[other] = one
    told = {order[place]: order[root(place)] for place in range(len(words))}
    return {text: told.get(text, text) for text in order}


def merged_tags(counts: Mapping[str, int]) -> dict[str, str]:
    """Return for every failure tag the one it is told as.

    A tag without a space is a name out of a vocabulary and stays what it is;
    free text with just its words is told as it, other free text is merged.
    """
    names = {tuple(_words(tag)): tag for tag in sorted(counts, reverse=True) if " " not in tag}
    free = {tag: number for tag, number in counts.items() if " " in tag}
    named = {tag: names[words] for tag in free if (words := tuple(_words(tag))) in names}
    rest = merged({tag: number for tag, number in free.items() if tag not in named})
    return {tag: named.get(tag) or rest.get(tag, tag) for tag in counts}


def error_label(quote: str) -> str:
    """Return what error the words report, without what differs from case to case; empty: none.

    A status, an exit code, an exception's name or an errno; else the words
    after ``Error:``, with numbers, identifiers, paths and quoted words left out.
    """
    head = _MARKUP.sub("", quote[:_HEAD]).strip()
    for code, shape in _CODES:
        found = code.search(head)
        if found is not None:
            return shape.format(found.group(1))
    if not _TROUBLE.search(head):
        return ""
    line = _LEAD.sub("", head.splitlines()[0])
    return " ".join(_VARIES.sub("#", line).split())[:_LABEL].rstrip(" .:,;")


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]
