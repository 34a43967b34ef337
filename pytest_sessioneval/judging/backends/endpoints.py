"""Where a judge is asked and with which key: from the environment alone, never from a file."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from pytest_sessioneval.errors import SettingError

__all__ = [
    "ALLOW_HTTP",
    "API_KEY",
    "BASE_URL",
    "EMBEDDING_API_KEY",
    "EMBEDDING_BASE_URL",
    "Endpoint",
    "embedding_endpoint",
    "endpoint",
    "is_loopback",
]

BASE_URL = "SESSIONEVAL_BASE_URL"
"""Where any judge is asked, before the providers' own variables."""

API_KEY = "SESSIONEVAL_API_KEY"
"""The key for any judge, before the providers' own variables."""

EMBEDDING_BASE_URL = "SESSIONEVAL_EMBEDDING_BASE_URL"
"""Where embeddings are asked for, where that is not where judges are."""

EMBEDDING_API_KEY = "SESSIONEVAL_EMBEDDING_API_KEY"
"""The key for it; no other key goes there."""

ALLOW_HTTP = "SESSIONEVAL_ALLOW_HTTP"
"""``1`` accepts http:// for hosts other than this one."""

_METADATA_HOSTS = frozenset({"metadata.google.internal", "metadata", "instance-data"})
_OLLAMA_PORT = 11434


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server and the key it may see; a key never goes to another host."""

    base_url: str
    """Without a slash at the end."""
    key: str | None = field(default=None, repr=False)
    """None: the server asks for none."""

    @property
    def host(self) -> str:
        """The server's host and port, for messages to people."""
        return urlsplit(self.base_url).netloc

    @property
    def local(self) -> bool:
        """Whether the server runs on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")


@dataclass(frozen=True, slots=True)
class _Provider:
    url: str
    url_variable: str
    key_variable: str | None


_PROVIDERS = {
    "openai": _Provider("https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "anthropic": _Provider("https://api.anthropic.com", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    "ollama": _Provider(f"http://127.0.0.1:{_OLLAMA_PORT}", "OLLAMA_HOST", None),
}


def endpoint(provider: str, environ: Mapping[str, str]) -> Endpoint:
    """Return where ``openai``, ``anthropic`` or ``ollama`` is asked, and with which key.

    ``SESSIONEVAL_BASE_URL`` and ``SESSIONEVAL_API_KEY`` come before the
    provider's own variables. A provider's own key goes to its own address only,
    so with ``SESSIONEVAL_BASE_URL`` the key is ``SESSIONEVAL_API_KEY`` or none.
    A server on this machine needs no key. Raises ``SettingError`` naming the
    variable to set.
    """
    known = _PROVIDERS[provider]
    general = environ.get(BASE_URL, "").strip()
    own = environ.get(known.url_variable, "").strip()
    variable = BASE_URL if general else known.url_variable
    url = general or (_ollama_url(own) if own and provider == "ollama" else own) or known.url
    base_url = _checked(url, variable, environ)
    if provider == "anthropic":
        base_url = base_url.removesuffix("/v1")  # its clients are configured without, others with
    key = environ.get(API_KEY, "").strip()
    if not key and known.key_variable and not general:
        key = environ.get(known.key_variable, "").strip()
    found = Endpoint(base_url, key or None)
    if key or found.local or known.key_variable is None:
        return found
    if general:
        raise SettingError(
            f"no key for the judge at {found.host}: set {API_KEY} (with {BASE_URL} set, "
            f"{known.key_variable} stays with {urlsplit(known.url).netloc})"
        )
    raise SettingError(
        f"no key for the judge at {found.host}: set {known.key_variable} or {API_KEY} "
        'in the environment, or use the embedded judge (model = "evidence"), which needs none'
    )


def embedding_endpoint(environ: Mapping[str, str]) -> Endpoint:
    """Return where embeddings are asked for: a server of their own, else where OpenAI's judges are.

    Raises ``SettingError`` naming the variable to set.
    """
    own = environ.get(EMBEDDING_BASE_URL, "").strip()
    if not own:
        return endpoint("openai", environ)
    base_url = _checked(own, EMBEDDING_BASE_URL, environ)
    found = Endpoint(base_url, environ.get(EMBEDDING_API_KEY, "").strip() or None)
    if found.key or found.local:
        return found
    raise SettingError(
        f"no key for the embedding model at {found.host}: set {EMBEDDING_API_KEY} (no other key "
        f"goes to {EMBEDDING_BASE_URL})"
    )


def is_loopback(host: str) -> bool:
    """Return whether ``host`` (a name or an address, without port) is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(url: str, variable: str, environ: Mapping[str, str]) -> str:
    """Return the address without a slash at the end; raise where it may not be used."""
    parts = _split(url, variable)
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        raise SettingError(f"{variable}: the address holds a password; use {API_KEY} for the key")
    if parts.query or parts.fragment:
        raise SettingError(f"{variable}: {url!r} has a query or fragment; give the plain address")
    if host in _METADATA_HOSTS or _is_link_local(host):
        raise SettingError(f"{variable}: {host} serves machine metadata, no judge")
    if parts.scheme == "http" and not is_loopback(host) and environ.get(ALLOW_HTTP) != "1":
        raise SettingError(
            f"{variable}: {url!r} would send transcripts and the key unencrypted; use https://, "
            f"or set {ALLOW_HTTP}=1 to allow it (http:// to this machine is always accepted)"
        )
    return url.rstrip("/")


def _split(url: str, variable: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError as error:
        raise SettingError(f"{variable}: {url!r} is no address: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_valid:
        raise SettingError(f"{variable}: {url!r} is no address; accepted: https://HOST[:PORT]/PATH")
    return parts


def _is_link_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


def _ollama_url(host: str) -> str:
    """Return the address ``OLLAMA_HOST`` stands for: scheme and port may be left out."""
    if "://" in host:
        parts, port = _split(host, "OLLAMA_HOST"), ""
    else:
        parts = _split(f"http://{host}", "OLLAMA_HOST")
        port = "" if parts.port else f":{_OLLAMA_PORT}"
    netloc = parts.netloc.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - listened on, never asked
    return f"{parts.scheme}://{netloc}{port}{parts.path}"
