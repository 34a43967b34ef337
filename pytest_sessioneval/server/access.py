"""Who may ask: decided from a request's first lines alone. Pure.

Against whom: another program or user of this machine (the token), a web page
that resolves its own name to this machine (``Host``), a web page that sends a
form or a request here (``Origin``, content type), and who guesses (comparison
in constant time).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["LOOPBACK_HOSTS", "Access", "Head", "Refusal", "host_name"]

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
"""Names by which a machine calls itself."""

_SAFE = {"GET", "HEAD", "OPTIONS"}
_API = ("/eval/", "/api/")
_JSON = {"application/json"}
_TRANSCRIPT = {
    *("application/json", "application/jsonl", "application/x-ndjson", "application/x-jsonlines"),
    *("application/octet-stream", "text/csv"),
}
_FORM = {"application/x-www-form-urlencoded"}
_HOW = (
    "send the header 'Authorization: Bearer TOKEN' with the token that the server was started "
    "with (SESSIONEVAL_TOKEN, or printed at start)"
)


@dataclass(frozen=True, slots=True)
class Head:
    """A request before its body."""

    method: str
    path: str
    """Decoded, without the query."""
    headers: Mapping[str, Sequence[str]]
    """By lower-case name, every value."""

    def only(self, name: str) -> str | None:
        """Return the header where it was sent once, else None."""
        values = self.headers.get(name, ())
        return values[0] if len(values) == 1 else None

    @property
    def has_body(self) -> bool:
        """Whether a body is announced."""
        return "transfer-encoding" in self.headers or self.only("content-length") not in {
            *(None, "0")
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not let in."""

    status: int
    detail: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask what."""

    token: str | None
    """What callers show; None: nobody is asked for one."""
    hosts: Collection[str]
    """Names that the ``Host`` header may hold, without a port."""
    public: Collection[str] = ("/healthz",)
    """Paths that need no token."""

    @property
    def cookie_name(self) -> str:
        """The cookie's name; servers on other ports of one machine have others."""
        return f"sessioneval_{self._derived('name')[:8]}"

    @property
    def cookie_value(self) -> str:
        """What the cookie holds: a proof of the token, not the token."""
        return self._derived("cookie")

    def knows(self, token: str) -> bool:
        """Return whether it is the token; takes as long for a near miss as for a far one."""
        expected = "" if self.token is None else self.token
        return self.token is None or hmac.compare_digest(
            token.encode("utf-8", "surrogatepass"), expected.encode()
        )

    def refused(self, head: Head) -> Refusal | None:
        """Return why the request is not let in; None: it is."""
        return (
            self._wrong_host(head)
            or self._wrong_origin(head)
            or self._wrong_token(head)
            or _wrong_content(head)
        )

    def _wrong_host(self, head: Head) -> Refusal | None:
        given = head.only("host")
        name = None if given is None else host_name(given)
        if name is not None and name in self.hosts:
            return None
        known = ", ".join(sorted(self.hosts))
        found = "a request needs one Host header" if given is None else f"host not allowed: {given}"
        return Refusal(
            400,
            f"{found[:200]}; this server answers to {known}: start it with --allow-host NAME "
            "where it has another name",
        )

    def _wrong_origin(self, head: Head) -> Refusal | None:
        """Refuse what a page of another site sends; programs that are no browser send no Origin."""
        if head.method in _SAFE:
            return None
        origin = head.headers.get("origin")
        site = head.only("sec-fetch-site")
        if origin is not None and [urlsplit(one).netloc for one in origin] != [head.only("host")]:
            return Refusal(403, f"requests from pages of {origin[0][:100]} are not accepted")
        if site is not None and site not in {"same-origin", "none"}:
            return Refusal(403, "requests from pages of other sites are not accepted")
        return None

    def _wrong_token(self, head: Head) -> Refusal | None:
        if self.token is None or head.path in self.public:
            return None
        given = head.only("authorization")
        if given is not None:
            scheme, _, token = given.partition(" ")
            if scheme.lower() == "bearer" and self.knows(token.strip()):
                return None
            return _unauthorised(f"the token is not accepted: {_HOW}")
        if hmac.compare_digest(_cookie(head, self.cookie_name), self.cookie_value.encode()):
            return None
        return _unauthorised(f"a token is needed: {_HOW}")

    def _derived(self, purpose: str) -> str:
        key = (self.token or "").encode()
        return hmac.new(key, f"sessioneval {purpose}".encode(), hashlib.sha256).hexdigest()


def host_name(value: str) -> str | None:
    """Return the name in a ``Host`` header, lower case, without port; None: it is none."""
    try:
        name = urlsplit(f"//{value}").hostname
    except ValueError:
        return None
    return None if not name or "@" in value or "/" in value else name.rstrip(".")


def _unauthorised(detail: str) -> Refusal:
    return Refusal(401, detail, (("www-authenticate", "Bearer"),))


def _cookie(head: Head, name: str) -> bytes:
    # By hand: the library gives up at the first cookie of others that it does not accept.
    for line in head.headers.get("cookie", ()):
        for pair in line.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value.encode("utf-8", "surrogatepass")
    return b""


def _wrong_content(head: Head) -> Refusal | None:
    """Refuse a body that a form of another site could send: those are no JSON."""
    if head.method in _SAFE or not head.has_body:
        return None
    kind = (head.only("content-type") or "").partition(";")[0].strip().lower()
    if head.path == "/eval/sessions":
        accepted = _TRANSCRIPT
    elif head.path.startswith(_API):
        accepted = _JSON
    else:
        accepted = _JSON | _FORM
    if kind in accepted:
        return None
    found = f"content type {kind[:100]!r} is not accepted" if kind else "a content type is needed"
    return Refusal(415, f"{found}: send 'Content-Type: {min(accepted)}'")
