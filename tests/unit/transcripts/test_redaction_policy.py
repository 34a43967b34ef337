"""What is replaced can be chosen: nothing, secrets, personal data too, and kinds of one's own."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError
from transcript_values import TRANSCRIPTS

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.testing import transcript
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.redaction import redact, redact_text
from pytest_sessioneval.transcripts.redaction_policy import (
    OwnSecret,
    RedactionPolicy,
    Replaced,
    own_secret,
)

OFF = RedactionPolicy(what="off", own=(OwnSecret(kind="customer", pattern=r"CU-\d+"),))
PII = RedactionPolicy(what="secrets+pii")
TOKEN = "np" + "m_" + "Ab1" * 12

PERSONAL = {
    "mail me at ann.lee+work@mail.example.org, please": "email",
    "From: <ann@example.com>": "email",
    '{"email": "ann_lee@example.co.uk"}': "email",
    "mailto:ann@example.com": "email",
    "call +1 209-372-0200 now": "phone",
    "call +49 151 2345 6789": "phone",
    "call +44 (20) 7946 0958": "phone",
    "tel:+491512345678": "phone",
    "(209) 372-0200": "phone",
    "line 555-123-2002 is suspended": "phone",
}

IMPERSONAL = [
    "git@github.com:owner/repo.git and https://user@example.com/path",
    "npm i @scope/pkg@1.2.3 react@18.2.0 logo@2x.png",
    "@decorator.method and x@y are no addresses",
    "2026-11-21 19:04:12, 1.2.3-4567, 192.168.0.1, 10.0.0.255:8080",
    "order 1234567890, card ending in 4242, user mia_li_3668, W2378156",
    "550e8400-e29b-41d4-a716-446655440000",
    "-0001234567 +1234 1+2345678901 x+15551234567",
    "+2026112012345\n-2026112012346",
    "a diff:\n+20261120123\n",
    "SHA-256: 9f86d081884c7d659a2feaa0c55ad015",
    "12-345-6789 and 1234-567-8901 and 123-456-78901",
]


def own(*patterns: str, what: Replaced = "secrets") -> RedactionPolicy:
    """Return a policy with these patterns, all of one kind."""
    kinds = tuple(OwnSecret(kind="customer", pattern=pattern) for pattern in patterns)
    return RedactionPolicy(what=what, own=kinds)


@pytest.mark.parametrize("text", PERSONAL)
def test_personal_data_goes_where_it_is_asked_for(text: str) -> None:
    """Addresses and numbers in the forms people write."""
    assert f"[REDACTED:{PERSONAL[text]}:1]" in redact_text(text, PII)


@pytest.mark.parametrize("text", [*PERSONAL, *IMPERSONAL])
def test_personal_data_stays_by_default(text: str) -> None:
    """It is what support sessions are about."""
    assert text == redact_text(text)


@pytest.mark.parametrize("text", IMPERSONAL)
def test_what_only_looks_personal_stays(text: str) -> None:
    """Repositories, packages, versions, dates, ids and the lines of a diff."""
    assert text == redact_text(text, PII)


def test_secrets_go_with_personal_data() -> None:
    """The wider choice holds the narrower one."""
    assert "[REDACTED:npm-token:1]" == redact_text(TOKEN, PII)


@given(TRANSCRIPTS)
def test_off_leaves_everything(transcript: Transcript) -> None:
    """Own kinds too: one word says it all."""
    found = redact(transcript, OFF)
    assert (transcript, {}) == (found.transcript, found.counts)


def test_a_pattern_of_ones_own_is_replaced_everywhere() -> None:
    """Numbered and counted like any other kind, beside those that are known."""
    said = transcript(("user", f"I am CU-17, {TOKEN}"), ("assistant", "CU-17? Not CU-18?"))
    found = redact(said, own(r"CU-\d+"))

    assert [
        "I am [REDACTED:customer:1], [REDACTED:npm-token:1]",
        "[REDACTED:customer:1]? Not [REDACTED:customer:2]?",
    ] == [message.text for message in found.transcript.messages]
    assert {"customer": 3, "npm-token": 1} == found.counts


def test_of_a_pattern_with_a_group_only_the_group_goes() -> None:
    """What tells the secret stays readable."""
    assert "PIN is [REDACTED:customer:1]." == redact_text(
        "PIN is 1234.", own(r"PIN is (?P<secret>\d+)")
    )


def test_a_group_that_did_not_match_leaves_all_of_it_to_go() -> None:
    """A pattern's other branch is a secret as a whole."""
    policy = own(r"PIN is (?P<secret>\d+)|CU-\d+")
    assert "[REDACTED:customer:1]" == redact_text("CU-17", policy)


@pytest.mark.parametrize("pattern", [r"\d+", r"[A-Z]+", r".+", r"customer", r"\[[^\]]*\]"])
def test_a_pattern_that_matches_our_placeholders_leaves_them(pattern: str) -> None:
    """Redacting twice changes nothing, whatever is looked for."""
    once = redact_text(f"CU 17 {TOKEN} 18", own(pattern))
    assert once == redact_text(once, own(pattern))
    assert once.count("[REDACTED:") == once.count("]")


def test_short_texts_are_searched_for_ones_own_kinds() -> None:
    """A secret of one's own may be shorter than any we know."""
    assert "[REDACTED:customer:1]" == redact_text("X7", own("X[0-9]"))


@pytest.mark.parametrize(
    ("pattern", "said"), [("(", "no regular expression"), ("a*", "matches an empty text")]
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str, said: str) -> None:
    """When it is written, not when it is met."""
    with pytest.raises(ValidationError, match=said):
        OwnSecret(kind="x", pattern=pattern)


@pytest.mark.parametrize(
    ("kind", "pattern"), [("Customer", "x"), ("", "x"), (None, "x"), ("a", None), ("a", "(")]
)
def test_a_hooks_pattern_is_refused_in_one_line(kind: object, pattern: object) -> None:
    """Naming the hook, what was found and what is accepted."""
    with pytest.raises(SettingError, match=r"^hook: .*accepted: a kind of lower-case") as caught:
        own_secret(kind, pattern, where="hook")
    assert "\n" not in str(caught.value)


POLICIES = [
    RedactionPolicy(),
    RedactionPolicy(what="off"),
    PII,
    own("a"),
    own("b"),
    own("a", "b"),
    own("a", what="secrets+pii"),
    RedactionPolicy(own=(OwnSecret(kind="other", pattern="a"),)),
]


@given(st.sampled_from(POLICIES), st.sampled_from(POLICIES))
def test_policies_have_one_identity_exactly_when_they_are_equal(
    one: RedactionPolicy, other: RedactionPolicy
) -> None:
    """It is part of every verdict's key, and of what is kept of files."""
    assert (one == other) == (one.identity == other.identity)
    assert (one == other) == (one.fingerprint == other.fingerprint)
