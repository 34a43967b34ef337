"""How many tokens a text is at most likely to take, told from its characters.

No tokenizer is shipped for every judge, so the estimate is meant to be high.
On 53 real sessions of five kinds of agents, each counted with three published
tokenizers (two of OpenAI's, an older one of Anthropic's), the true count was
0.56 to 0.73 of the estimate; tokenizers that cut finer by a third still stay
below it. What can exceed it, by up to a quarter, is a text of nothing but
emoji or of short groups of hexadecimal digits.
"""

from __future__ import annotations

import string

from pytest_sessioneval.judging.unbroken import unbroken

__all__ = ["estimated_tokens"]

_WORDS = (string.ascii_letters + " \n\t\r").encode()
_DIGITS = string.digits.encode()
_ASCII = bytes(range(128))
_LONG = 24

_PER_LETTER = 0.4
_PER_DIGIT = 1.0
_PER_SIGN = 0.75
_PER_OTHER_BYTE = 0.6
_PER_UNBROKEN = 0.4


def estimated_tokens(text: str) -> int:
    """Return a number of tokens that the text is unlikely to exceed.

    0.4 for a letter or white space, 0.75 for another ASCII character, 1 for a
    digit, 0.6 for each byte that UTF-8 needs for the rest; characters in an
    unbroken run of 24 and more (hashes, base64, long paths) count 0.4 more.
    """
    encoded = text.encode("utf-8", "surrogatepass")
    not_words = encoded.translate(None, _WORDS)
    signs_and_others = not_words.translate(None, _DIGITS)
    others = signs_and_others.translate(None, _ASCII)
    letters = len(encoded) - len(not_words)
    digits = len(not_words) - len(signs_and_others)
    signs = len(signs_and_others) - len(others)
    estimate = (
        _PER_LETTER * letters
        + _PER_DIGIT * digits
        + _PER_SIGN * signs
        + _PER_OTHER_BYTE * len(others)
        + _PER_UNBROKEN * unbroken(encoded, _LONG)
    )
    return int(estimate) + 1
