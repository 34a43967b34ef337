"""How secrets look: by the prefix their issuer gives them, or by what stands beside them.

Never by entropy: transcripts are full of ids, hashes and base64. Shapes are
those that issuers publish for secret scanning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_sessioneval.transcripts.clues import Clues

__all__ = ["PATTERNS", "PII_PATTERNS", "SECRET_NAME", "Pattern", "is_secret"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A kind of secret."""

    kind: str
    """The kind in the placeholder; several patterns may share one."""
    clues: tuple[str, ...]
    """Texts of which one occurs in whatever matches (lower case where case is ignored)."""
    expression: re.Pattern[str]
    """What matches; a telling secret is its group ``secret``, any other is all of the match."""
    telling: bool = False
    """Known by what stands beside it: the same value is a secret elsewhere too."""
    guarded: bool = False
    """The secret must also look like one (``is_secret``)."""
    before: re.Pattern[str] | None = None
    """What must end where the match begins."""
    before_clues: Clues | None = None
    """Of which one stands, case folded, in whatever ``before`` matches."""
    own: bool = False
    """A user's: its group ``secret`` may be missing, and it may match our placeholders."""

    @property
    def ignores_case(self) -> bool:
        """Whether the clues are to be looked for in the text's lower case."""
        return bool(self.expression.flags & re.IGNORECASE)


def _prefixed(kind: str, clues: str, expression: str) -> Pattern:
    return Pattern(kind, tuple(clues.split()), re.compile(expression))


def _telling(
    kind: str, clues: str, expression: str, *, guarded: bool = False, before: str | None = None
) -> Pattern:
    preceding = None if before is None else re.compile(rf"(?:{before})\Z", re.IGNORECASE)
    stems = None if before is None else Clues(_TELLING_STEMS)
    return Pattern(
        kind,
        tuple(clues.split()),
        re.compile(expression),
        telling=True,
        guarded=guarded,
        before=preceding,
        before_clues=stems,
    )


_TELLING_NAME = (
    r"(?:password|passwd|pwd|passphrase|secret|api_?key|access_?key|client_?secret|private_?key"
    r"|(?:auth|access|refresh|bearer|api)_?token)"
)
_TELLING_STEMS = ("pass", "pwd", "secret", "key", "token")
_END = r"(?![A-Za-z0-9])"
_START = r"(?<![A-Za-z0-9])"

PATTERNS: tuple[Pattern, ...] = (
    _prefixed(
        "private-key",
        "PRIVATE",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^-]*(?:-(?!----)[^-]*)*-----END [A-Z0-9 ]{0,40}-----"
        r"|(?:\\[nr]|\s)*[A-Za-z0-9+/=]{40,}(?:[A-Za-z0-9+/=\s]|\\[nr])*)",
    ),
    _prefixed("anthropic-key", "sk-ant-", rf"{_START}sk-ant-[a-z]{{3,8}}\d\d-[\w-]{{20,}}"),
    _prefixed(
        "openai-key",
        "sk-",
        rf"{_START}sk-(?:(?:proj|svcacct|admin)-[\w-]{{20,}}|or-v1-[0-9a-f]{{64}}{_END}"
        rf"|[A-Za-z0-9]{{20}}T3BlbkFJ[A-Za-z0-9]{{20}}{_END}|[A-Za-z0-9]{{48}}{_END})",
    ),
    _prefixed(
        "aws-access-key",
        "AKIA ASIA ABIA ACCA",
        rf"{_START}A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{{16}}{_END}",
    ),
    _telling(
        "aws-secret-key",
        "aws",
        r"(?i)aws_?(?:secret_?)?(?:access_?)?key(?:_id)?[\"']?\s{0,5}[:=]\s{0,5}[\"']?"
        r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    ),
    _prefixed("google-key", "AIza", rf"{_START}AIza[\w-]{{35}}(?![\w-])"),
    _prefixed(
        "google-oauth", "ya29. GOCSPX-", rf"{_START}(?:ya29\.[\w-]{{30,}}|GOCSPX-[\w-]{{28}})"
    ),
    _prefixed(
        "github-token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        rf"{_START}(?:gh[pousr]_[A-Za-z0-9]{{36,255}}{_END}|github_pat_\w{{60,255}})",
    ),
    _prefixed(
        "gitlab-token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glsoat- glagent-",
        rf"{_START}gl(?:pat|dt|rt|cbt|ptt|ft|imt|soat|agent)-[\w-]{{20,}}",
    ),
    _prefixed("huggingface-token", "hf_", rf"{_START}hf_[A-Za-z0-9]{{34}}{_END}"),
    _prefixed(
        "slack-token",
        "xox xapp- hooks.slack",
        rf"{_START}(?:xox[abeoprs]-(?:\d[\d-]{{8,}}-)?[A-Za-z0-9-]{{20,}}"
        r"|xapp-\d-[A-Z0-9]{8,}-\d{8,}-[a-z0-9]{32,}"
        r"|hooks\.slack\.com/(?:services|workflows|triggers)/[\w/+-]{30,})",
    ),
    _prefixed(
        "stripe-key",
        "k_live_ k_test_ whsec_",
        rf"{_START}(?:[sr]k_(?:live|test)_[A-Za-z0-9]{{16,}}|whsec_[A-Za-z0-9]{{32,}})",
    ),
    _prefixed("npm-token", "npm_", rf"{_START}npm_[A-Za-z0-9]{{36}}{_END}"),
    _prefixed("pypi-token", "pypi-", rf"{_START}pypi-AgE[\w-]{{50,}}"),
    _prefixed("sendgrid-key", "SG.", rf"{_START}SG\.[\w-]{{22}}\.[\w-]{{43}}(?![\w-])"),
    _prefixed("twilio-key", "SK", rf"{_START}SK[0-9a-f]{{32}}{_END}"),
    _prefixed("telegram-token", ":AA", rf"{_START}\d{{8,10}}:AA[\w-]{{33}}(?![\w-])"),
    _prefixed("digitalocean-token", "_v1_", rf"{_START}do[opr]_v1_[0-9a-f]{{64}}{_END}"),
    _prefixed("databricks-token", "dapi", rf"{_START}dapi[0-9a-f]{{32}}{_END}"),
    _prefixed("vault-token", "hvs. hvb. hvr.", rf"{_START}hv[sbr]\.[\w-]{{24,}}"),
    _prefixed("shopify-token", "shp", rf"{_START}shp(?:at|ca|pa|ss)_[0-9a-fA-F]{{32}}{_END}"),
    _prefixed("groq-key", "gsk_", rf"{_START}gsk_[A-Za-z0-9]{{52}}{_END}"),
    _prefixed("xai-key", "xai-", rf"{_START}xai-[A-Za-z0-9]{{80}}{_END}"),
    _prefixed("age-key", "AGE-SECRET", rf"{_START}AGE-SECRET-KEY-1[0-9A-Z]{{58}}{_END}"),
    _telling("azure-key", "accountkey", r"(?i)AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)"),
    _prefixed("jwt", "eyJ", rf"{_START}eyJ[\w-]{{8,}}\.eyJ[\w-]{{8,}}\.[\w-]{{16,}}"),
    _telling(
        "url-password",
        "://",
        r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{0,80}:(?P<secret>[^\s/@\"'<>$\{\[*]{3,120})@",
        guarded=True,
    ),
    _telling(
        "authorization",
        "authorization api-key",
        r"(?i)(?:authorization[\"']?\s{0,5}[:=]\s{0,5}[\"']?(?:bearer|basic|token)\s{1,5}"
        r"|x-api-key[\"']?\s{0,5}[:=]\s{0,5}[\"']?)(?P<secret>[A-Za-z0-9._~+/=-]{16,})",
        guarded=True,
    ),
    _telling(
        "password",
        ": =",
        r"(?:=>|[:=])\s{0,5}(?P<quote>\\{0,3}[\"'])(?P<secret>[^\"'\s\\]{8,200})(?P=quote)",
        guarded=True,
        before=_TELLING_NAME + r"(?:\\{0,3}[\"'])?\s{0,5}",
    ),
    _telling(
        "password",
        "PASS SECRET TOKEN KEY",
        r"(?m)^[ \t]{0,20}(?:export |set |ENV )?[A-Z0-9_]{0,60}(?:PASSWORD|PASSWD|SECRET|TOKEN"
        r"|API_?KEY|ACCESS_?KEY)[A-Z0-9_]{0,30}=(?P<secret>[^\s\"'$<{(\[]{8,200})",
        guarded=True,
    ),
)
"""In the order they are tried: the particular before the general."""

PII_PATTERNS: tuple[Pattern, ...] = (
    _prefixed(
        "email",
        "@",
        # Not git@host:path, a URL's user, a scoped package, logo@2x.png or part of a word.
        r"(?<![\w.+/%-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?!\d+x\.)(?:[A-Za-z0-9-]{1,63}\.){1,8}"
        r"[A-Za-z]{2,24}(?![\w@/(-]|:\w|\.\w)",
    ),
    _prefixed(
        "phone",
        "+ ( -",
        r"(?<![\w+.-])(?:(?<=[ (:\"'>;,=])\+[1-9]\d{8,14}"
        r"|\+(?=(?:[ .()-]{0,2}\d){9,15}(?!\w))[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\))?"
        r"(?:[ .-]\d{2,5}){2,5}"
        r"|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})(?![\w-]|\.\d)",
    ),
)
"""E-mail addresses and telephone numbers in the forms that little else has."""

SECRET_NAME = re.compile(rf"(?i)(?:.*[_-])?{_TELLING_NAME}")
"""Matches the whole name of an argument whose value is a secret."""

_STAND_IN = re.compile(
    r"(?i)x{4,}|\*{3,}|\.{3}|…|example|changeme|placeholder|your[_-]|redacted"
    r"|\{\{|\$\{|<[^>]*>|%\(|\s|^[a-z][a-z0-9+.-]*://|^\.{0,2}/|^\$"
)


def is_secret(value: str) -> bool:
    """Return whether an assigned value looks like a secret, not like a word, a name or a path."""
    if _STAND_IN.search(value):
        return False
    letters = any(character.isalpha() for character in value)
    return letters and any(not (character.isalpha() or character in "_-.") for character in value)
