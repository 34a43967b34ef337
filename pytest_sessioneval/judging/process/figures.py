"""Numbers and names in a text: which are identifiers, which amounts, which nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pytest_sessioneval.judging.process.amounts import cents

__all__ = [
    "ANY_DIGIT",
    "DATE_OR_TIME",
    "TOKEN",
    "FigureKind",
    "code_around",
    "is_code",
    "is_identifier",
    "kind_of",
    "plain",
    "tokens_of",
]

FigureKind = Literal["identifier", "amount", "date"]
"""A date is told by ``dates``; this module tells the other two."""

# The atomic group and the boundary keep a long word without a digit linear.
_WORD = r"(?>[A-Za-z_]*)\d\w*(?:[.,]\d+)*"
_DAY = r"\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{2,4}"
_TIME = r"\d\d?:\d\d(?::\d\d)?(?!\d)"
TOKEN = re.compile(rf"\b{_WORD}", re.ASCII)
"""A word with a digit in it, or a number."""
DATE_OR_TIME = re.compile(rf"{_DAY}|(?<!\d){_TIME}", re.ASCII)
"""What is no token although it holds digits."""
ANY_DIGIT = re.compile(r"\d", re.ASCII)
_TOKEN_OUTSIDE_DATES = re.compile(
    rf"\b(?:(?:{_DAY})(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?)?|{_TIME}|({_WORD}))", re.ASCII
)

_DECIMAL = re.compile(r"\d+\.\d+")
_UNITS = (
    "st nd rd th s ms us ns sec secs min mins h hr hrs d w wk wks mo y yr yrs am pm "
    "k m b bn mn tn b kb mb gb tb pb kib mib gib tib bit bits kbps mbps gbps bps px pt em rem vh "
    "vw dpi ppi fps p i x mm cm km nm um in inch ft yd mi mpg mph kmh mg g kg t lb lbs oz ml cl dl "
    "l gal w kw mw gw wh kwh v kv mv a ma mah ah va hz khz mhz ghz rpm db lm lx c f usd eur gbp "
    "chf cad aud jpy kcal cal kj j psi bar pa hpa kpa n tok loc rps qps tps ops pp bp xl e z"
)
_MEASURE = re.compile(
    rf"\d+(?:\.\d+)?(?:{'|'.join(sorted(set(_UNITS.split()), key=len, reverse=True))})|"
    r"(?:\d+(?:d|h|m|min|s|ms))+|[a-z]{1,2}\d{1,2}",
    re.IGNORECASE,
)
_STANDARDS = (
    "(?:ISO|IEC|IEEE|RFC|PEP|CVE|CWE|SHA|MD|AES|RSA|UTF|UTC|GMT|HTTP|EN|DIN|ECMA|POSIX|ANSI|NIST|"
    "COVID|GPT)"
)
_STANDARD = re.compile(rf"(?<![A-Za-z]){_STANDARDS}[- ]?(?:\d+-)?\Z")
_CODE = re.compile(rf"(?!{_STANDARDS}-)[A-Z]{{1,8}}(?:-\w+)+", re.ASCII)
_CODE_BEFORE = re.compile(r"(?<![\w-])[A-Z]{1,8}-(?:\w+-)*\Z", re.ASCII)
_CODE_AFTER = re.compile(r"(?:-\w+)*", re.ASCII)
_ANNOUNCED = re.compile(
    r"(?:#|\b(?:case|ticket|reference|ref|tracking|confirmation|invoice|order|account|booking|"
    r"reservation|claim|incident)(?: (?:number|no|nr|id|code))?\.?(?: is|:)? #?)\Z",
    re.IGNORECASE,
)
_YEARS = range(1900, 2101)
_FEWEST_LENGTH = 5
_LONGEST = 64
_FEWEST_DIGITS = 3
_FEWEST_CODE_DIGITS = 4
_LONG_NUMBER = 7
_BEFORE = 60


def plain(token: str) -> str:
    """Return the token in the form it is compared in: lower case, no separators, no idle zeros."""
    if token.isdigit():
        return token
    token = token.lower()
    if token[0].isdigit():
        token = token.replace(",", "")
        if _DECIMAL.fullmatch(token):
            token = token.rstrip("0").rstrip(".")
    return token.strip("_") or token


def tokens_of(text: str) -> Iterator[str]:
    """Yield the text's tokens in order, but for those of dates and times."""
    return filter(None, _TOKEN_OUTSIDE_DATES.findall(text))


def is_identifier(token: str) -> bool:
    """Return whether the token looks like the name of one thing: letters, digits, long enough."""
    if not _FEWEST_LENGTH <= len(token) <= _LONGEST:
        return False
    if TOKEN.fullmatch(token) is None or "." in token or "," in token:
        return False
    if _MEASURE.fullmatch(token):
        return False
    digits = sum(character.isdigit() for character in token)
    if digits == len(token):
        return True
    letters = [character for character in token if character.isalpha()]
    if not letters:
        return False
    if all(character.isupper() for character in letters):
        return True
    return digits >= _FEWEST_DIGITS  # base64 and python3 are words


def is_code(text: str) -> bool:
    """Return whether the text as a whole is a name of parts, capitals first: ``RD-7731Q``."""
    if len(text) > _LONGEST or _CODE.fullmatch(text) is None:
        return False
    parts = "".join(token for token in TOKEN.findall(text) if not _is_year(token))
    return sum(character.isdigit() for character in parts) >= _FEWEST_CODE_DIGITS


def code_around(text: str, start: int, end: int) -> str:
    """Return the code that the token at ``start`` is part of, as it stands; "" for none."""
    before = _CODE_BEFORE.search(text, max(0, start - _LONGEST), start)
    if before is None:
        return ""
    after = _CODE_AFTER.match(text, end)
    code = text[before.start() : after.end() if after else end]
    return code if is_code(code) else ""


def kind_of(token: str, text: str, start: int) -> FigureKind | None:
    """Return what the token at ``start`` of the text is; None: neither, or common knowledge.

    A number of seven digits and more without separators, or after a word such as
    "ticket", names something; others are amounts when they have cents, or three
    digits and are no year.
    """
    before, after = text[max(0, start - _BEFORE) : start], text[start + len(token) :][:1]
    if _STANDARD.search(before):
        return None
    value = plain(token)
    if cents(value) is None:
        return "identifier" if is_identifier(token) else None
    if {before[-1:], after} & {":", "/", "{", "}"}:
        return None
    if not value.isdigit():
        return "amount" if len(token.rpartition(".")[2]) == 2 else None  # noqa: PLR2004  (cents)
    priced = before[-1:] in ("$", "€", "£")
    if not priced and _is_year(value):
        return None
    if token.isdigit() and not priced:
        announced = len(token) >= _FEWEST_CODE_DIGITS and _ANNOUNCED.search(before)
        if announced or len(token) >= _LONG_NUMBER:
            return "identifier"
    return "amount" if len(value) >= _FEWEST_DIGITS else None


def _is_year(token: str) -> bool:
    return token.isdigit() and len(token) == 4 and int(token) in _YEARS  # noqa: PLR2004
