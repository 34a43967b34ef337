"""Secrets that go, and everything that looks like one and stays.

The secrets are made up, and put together from parts so that no scanner takes
this file for a leak.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st
from transcript_values import TRANSCRIPTS, said, transcript_of

from pytest_sessioneval.transcripts.model import Message, Outcome, Subsession, ToolCall, Transcript
from pytest_sessioneval.transcripts.redaction import redact, redact_text

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
MIXED = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6" * 3
HEX = "0123456789abcdef" * 8
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 2
BEGIN = "-----BEGIN {}PRIV" + "ATE KEY-----\n"

SECRETS = {
    "anthropic-key": "sk-" + "ant-api03-" + MIXED[:80] + "-AA",
    "openai-key": "sk-" + "proj-" + MIXED[:60] + "_" + MIXED[:20],
    "openai-key legacy": "sk-" + MIXED[:20] + "T3Blbk" + "FJ" + MIXED[:20],
    "openai-key router": "sk-" + "or-v1-" + HEX[:64],
    "aws-access-key": "AK" + "IA" + UPPER[:16],
    "google-key": "AI" + "za" + MIXED[:35],
    "google-oauth": "GOC" + "SPX-" + MIXED[:28],
    "github-token": "gh" + "p_" + MIXED[:36],
    "github-token fine-grained": "github" + "_pat_" + MIXED[:22] + "_" + MIXED[:59],
    "gitlab-token": "gl" + "pat-" + MIXED[:20],
    "huggingface-token": "h" + "f_" + LETTERS[:34],
    "slack-token": "xo" + "xb-" + "123456789012-123456789012-" + MIXED[:24],
    "slack-token hook": "hooks." + "slack.com/services/T0000000A/B0000000B/" + MIXED[:24],
    "stripe-key": "sk" + "_live_" + MIXED[:24],
    "npm-token": "np" + "m_" + MIXED[:36],
    "pypi-token": "py" + "pi-AgE" + MIXED[:70],
    "sendgrid-key": "S" + "G." + MIXED[:22] + "." + MIXED[:43],
    "twilio-key": "S" + "K" + HEX[:32],
    "telegram-token": "123456789" + ":AA" + MIXED[:33],
    "digitalocean-token": "do" + "p_v1_" + HEX[:64],
    "databricks-token": "da" + "pi" + HEX[:32],
    "vault-token": "hv" + "s." + MIXED[:90],
    "shopify-token": "shp" + "at_" + HEX[:32],
    "groq-key": "gs" + "k_" + MIXED[:52],
    "xai-key": "x" + "ai-" + MIXED[:80],
    "age-key": "AGE-SECRET" + "-KEY-1" + UPPER[:58],
    "jwt": "ey" + "J" + MIXED[:30] + ".ey" + "J" + MIXED[:40] + "." + MIXED[:43],
    "private-key": f"{BEGIN.format('RSA ')}{MIXED}\n-----END RSA PRIVATE KEY-----",
    "private-key encrypted": (
        f"{BEGIN.format('EC ')}Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AB\n\n{MIXED}\n"
        "-----END EC PRIVATE KEY-----"
    ),
    "private-key cut": f"{BEGIN.format('')}{MIXED[:60]}",
}
"""One of each kind; what follows a blank is a variant of the kind."""

TOLD = {
    "aws-secret-key": ("aws_secret_access_key = {}", MIXED[:40]),
    "azure-key": ("AccountName=x;AccountKey={};EndpointSuffix=y", MIXED[:86] + "=="),
    "url-password": ("postgresql://app:{}@db.internal:5432/x", "s3cr3t-pw!"),
    "authorization": ("Authorization: Bearer {}", MIXED[:30]),
    "authorization json": ('{{"x-api-key": "{}"}}', MIXED[:24]),
    "password": ('password = "{}"', "hunter2-and-more"),
    "password json": ('{{"db_password": "{}", "port": 1}}', "Tr0ub4dor&3x"),
    "password escaped": ('{{\\"client_secret\\": \\"{}\\"}}', "Tr0ub4dor&3x"),
    "password hash rocket": ("api_key => '{}'", "k3y-k3y-k3y-k3y"),
    "password environment": ("PATH=/bin\nexport DATABASE_PASSWORD={}\nX=1", "Tr0ub4dor&3x"),
    "password dotenv": ("STRIPE_SECRET_KEY={}", "Tr0ub4dor&3x"),
}
"""Secrets by what stands beside them: the text around, and the secret."""

HARMLESS = [
    str(UUID(int=0x1234567890ABCDEF1234567890ABCDEF)),
    hashlib.sha256(b"x").hexdigest(),
    hashlib.sha1(b"x", usedforsecurity=False).hexdigest(),
    "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256:" + hashlib.sha256(b"y").hexdigest(),
    "integrity sha512-" + b64encode(hashlib.sha512(b"z").digest()).decode(),
    b64encode(bytes(range(256))).decode(),
    "v1.2.3-rc.1+build.5, 2026.11.21, 8.8.8.8, 192.168.0.1:8080",
    "task-1, sk-learn, sk-SK, ask-me-anything, risk-free, disk-usage",
    "ghp_ is the prefix of a token, and so are npm_ and hf_",
    "hf_hub_download, hf_transfer, npm_config_registry, gl-matrix",
    "skills, SKU12345678, SKIP, dapi.example, hvac, eyJust, xai-sdk",
    "https://example.com:8080/path?x=1@2 and git@github.com:owner/repo.git",
    "postgresql://user:password@localhost/db and redis://:${PASSWORD}@host",
    "call_abcdefghijklmnopqrstuvwx, toolu_01A09q90qw90lq917835lq9, chatcmpl-9XyZ",
    "Authorization: Bearer <token>, Authorization: Basic $CREDENTIALS",
    'password = os.environ["DB_PASSWORD"]; password: string; token_type="bearer"',
    'password: "{{ .Env.PASSWORD }}", secret = "${{ secrets.TOKEN_2 }}", api_key="your-api-key-1"',
    '{"password": "********", "api_key": "xxxxxxxx1", "secret": "<redacted-1>"}',
    "MAX_TOKENS=4096\nTOKEN_URL=https://auth.internal/v1/token2\nSECRET_FILE=/run/secrets/db1",
    "Your password must have 8 characters. The secret of success1 is patience.",
    "-----BEGIN PUBLIC KEY-----\n" + MIXED + "\n-----END PUBLIC KEY-----",
    "A file that starts with -----BEGIN PRIVATE KEY----- is a private key, says the manual",
    "order W2378156, reservation EHGLP3, user mia_li_3668, #W7449508, +1 555 0100",
    "AKIAIOS is short; ASIA is a continent; AIzawa is a name",
]


def _kind(name: str) -> str:
    return name.partition(" ")[0]


def _only(text: str) -> Message:
    return redact(transcript_of(said("user", text))).transcript.messages[0]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_replaced_within_text(name: str) -> None:
    """Each kind goes, and the words around it stay."""
    found = redact(transcript_of(said("user", f"use {SECRETS[name]}, please")))

    assert f"use [REDACTED:{_kind(name)}:1], please" == found.transcript.messages[0].text
    assert {_kind(name): 1} == found.counts


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("around", ['{{"key":"{}"}}', "KEY={}\n", "`{}`", "({})", "{}", "x: {}."])
def test_a_secret_is_found_between_other_marks(name: str, around: str) -> None:
    """Quotes, brackets and line ends delimit a secret as blanks do."""
    assert SECRETS[name] not in _only(around.format(SECRETS[name])).text


@pytest.mark.parametrize("name", TOLD)
def test_a_secret_is_known_by_what_stands_beside_it(name: str) -> None:
    """The value goes, and what gave it away stays."""
    around, secret = TOLD[name]

    assert around.format(f"[REDACTED:{_kind(name)}:1]") == _only(around.format(secret)).text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    """Ids, hashes, versions, base64, stand-ins and prose survive as they are."""
    assert text == _only(text).text


def test_numbers_tell_secrets_apart_and_keep_them_together() -> None:
    """Equal secrets have equal numbers, wherever they stand; others have their own."""
    one, two = SECRETS["github-token"], SECRETS["github-token"][:-1] + "Q"
    found = redact(
        transcript_of(said("user", f"{one} {two}"), said("assistant", f"{two} {one} {one}"))
    )

    first, second = "[REDACTED:github-token:1]", "[REDACTED:github-token:2]"
    assert [f"{first} {second}", f"{second} {first} {first}"] == [
        message.text for message in found.transcript.messages
    ]
    assert {"github-token": 5} == found.counts


def test_everything_that_is_shown_is_covered() -> None:
    """Texts, reasoning, arguments, metadata, name and outcome, of sub-agents too."""
    secret = SECRETS["npm-token"]
    call = ToolCall(name="sh", arguments={"env": [{"k": {secret: f"x {secret}"}}], "n": 1})
    message = Message(index=0, role="assistant", text=secret, reasoning=secret, tool_calls=(call,))
    transcript = Transcript(
        session_id="s",
        source="t",
        messages=(message,),
        subsessions=(Subsession(agent_id="a", messages=(message,)),),
        name=secret,
        outcome=Outcome(kind="error", detail=f"failed with {secret}"),
        metadata={"a": secret, "b": 1},
    )

    found = redact(transcript)

    assert secret not in found.transcript.model_dump_json()
    assert 11 == found.counts["npm-token"]
    assert {"env": [{"k": {"[REDACTED:npm-token:1]": "x [REDACTED:npm-token:1]"}}], "n": 1} == (
        found.transcript.messages[0].tool_calls[0].arguments
    )


def test_arguments_that_are_text_are_covered() -> None:
    """Arguments that did not parse are redacted as the text they are."""
    call = ToolCall(name="sh", arguments=f"curl -H 'x: {SECRETS['jwt']}")
    message = Message(index=0, role="assistant", tool_calls=(call,))

    assert "curl -H 'x: [REDACTED:jwt:1]" == (
        redact(transcript_of(message)).transcript.messages[0].tool_calls[0].arguments
    )


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("password", "hunter2", False),
        ("db_password", "hunter2", False),
        ("apiKey", "k3y", False),
        ("refresh_token", "r3fr3sh", False),
        ("password", "string", True),
        ("password", "at least 8 characters", True),
        ("password", "${DB_PASSWORD_1}", True),
        ("passwords_seen", "hunter2", True),
        ("token_count", "12a", True),
    ],
)
def test_an_argument_is_secret_by_its_name(name: str, value: str, kept: bool) -> None:  # noqa: FBT001
    """A value goes whole where its name says so and it looks like a secret."""
    call = ToolCall(name="login", arguments={"user": "ann1", name: value})
    found = redact(transcript_of(Message(index=0, role="assistant", tool_calls=(call,))))
    arguments = found.transcript.messages[0].tool_calls[0].arguments

    assert {"user": "ann1", name: value if kept else "[REDACTED:password:1]"} == arguments


def test_a_secret_given_away_in_one_place_goes_everywhere() -> None:
    """What an assignment tells is looked for where nothing tells."""
    found = redact(
        transcript_of(
            said("assistant", "mysql -u app -pTr0ub4dor&3x"),
            said("user", 'password: "Tr0ub4dor&3x"'),
        )
    )

    assert "mysql -u app -p[REDACTED:password:1]" == found.transcript.messages[0].text
    assert {"password": 2} == found.counts


def test_a_short_telling_secret_stays_where_nothing_tells() -> None:
    """A short value could be anything elsewhere."""
    found = redact(
        transcript_of(said("user", 'password: "hunter2x"'), said("user", "I saw hunter2x"))
    )

    assert "I saw hunter2x" == found.transcript.messages[1].text


def test_a_transcript_without_secrets_is_the_same() -> None:
    """Nothing found, nothing changed."""
    transcript = transcript_of(*[said("user", text) for text in HARMLESS])
    found = redact(transcript)

    assert (transcript, {}) == (found.transcript, found.counts)


def test_a_text_alone_is_redacted_too() -> None:
    """For what belongs to no transcript."""
    assert "[REDACTED:jwt:1] twice [REDACTED:jwt:1]" == redact_text(
        f"{SECRETS['jwt']} twice {SECRETS['jwt']}"
    )


_FRAGMENTS: list[str] = [
    *SECRETS.values(),
    *(around.format(secret) for around, secret in TOLD.values()),
    *HARMLESS,
    "password",
    '"',
    "=",
    " ",
    "\n",
    "-----BEGIN PRIVATE KEY-----",
    "://",
]


@given(st.lists(st.sampled_from(_FRAGMENTS), max_size=6).map("".join))
def test_redacting_twice_changes_nothing(text: str) -> None:
    """Placeholders are no secrets, whatever they stand beside."""
    once = redact(transcript_of(said("user", text))).transcript

    assert (once, {}) == (redact(once).transcript, redact(once).counts)


@given(
    st.lists(
        st.sampled_from(
            [
                *SECRETS.values(),
                *(around.format(secret) for around, secret in TOLD.values()),
                'Pa\u017f\u017fWord: "Tr0ub4dor&3x"',
                'api_\u212aey: "Tr0ub4dor&3x"',
                *HARMLESS,
            ]
        ),
        max_size=3,
    ).map(" ".join)
)
def test_no_look_is_saved_where_a_pattern_matches(text: str) -> None:
    """Clues that make every pattern be tried change nothing about the text after them."""
    clue = "np" + "m_ pass \u00a7\n"
    assert redact_text(f"{clue}{text}") == f"{clue}{redact_text(text)}"


@given(TRANSCRIPTS)
def test_structure_is_left_alone(transcript: Transcript) -> None:
    """Redaction changes words only: counts, links and order stay."""
    found = redact(transcript).transcript

    assert _bones(transcript) == _bones(found)


def test_hostile_text_takes_no_more_than_its_length() -> None:
    """Beginnings of secrets without an end, in the ten thousands, do not pile up."""
    for beginning in (
        "-----BEGIN PRIVATE KEY-----",
        "a://b:",
        'password = "',
        "eyJabcdefghij.",
        "A_",
    ):
        text = beginning * (300_000 // len(beginning))
        assert len(text) >= len(redact_text(text))


def test_real_sessions_hold_no_secret_we_would_tear_a_hole_for(shared_data: Path) -> None:
    """In recorded airline and retail talk nothing is taken for a secret."""
    paths = sorted((shared_data / "tau-bench").glob("*.json"))
    assert paths
    for path in paths:
        texts = [
            message["content"] or ""
            for run in json.loads(path.read_text())
            for message in run["traj"]
        ]
        assert texts == [redact_text(text) for text in texts]


def _bones(transcript: Transcript) -> list[Any]:
    parts = (transcript.messages, *(part.messages for part in transcript.subsessions))
    return [
        [
            (message.role, message.answers, [call.result for call in message.tool_calls])
            for message in part
        ]
        for part in parts
    ]
