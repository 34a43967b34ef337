"""Where a judge is asked and which key it sees."""

from __future__ import annotations

import pytest

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.judging.backends.endpoints import endpoint, is_loopback


@pytest.mark.parametrize(
    ("provider", "environ", "url", "key"),
    [
        ("openai", {"OPENAI_API_KEY": "k"}, "https://api.openai.com/v1", "k"),
        ("anthropic", {"ANTHROPIC_API_KEY": "k"}, "https://api.anthropic.com", "k"),
        ("ollama", {}, "http://127.0.0.1:11434", None),
        (
            "openai",
            {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://llm.example/v1/"},
            "https://llm.example/v1",
            "k",
        ),
        (
            "openai",
            {"OPENAI_API_KEY": "k", "SESSIONEVAL_API_KEY": "s"},
            "https://api.openai.com/v1",
            "s",
        ),
        (
            "anthropic",
            {"SESSIONEVAL_BASE_URL": "https://x.example", "SESSIONEVAL_API_KEY": "s"},
            "https://x.example",
            "s",
        ),
        (
            "openai",
            {"SESSIONEVAL_BASE_URL": "http://localhost:8080/v1"},
            "http://localhost:8080/v1",
            None,
        ),
        ("openai", {"OPENAI_BASE_URL": "http://[::1]:8080"}, "http://[::1]:8080", None),
        (
            "anthropic",
            {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "https://x.example/v1/"},
            "https://x.example",
            "k",
        ),
        ("ollama", {"OLLAMA_HOST": "localhost"}, "http://localhost:11434", None),
        ("ollama", {"OLLAMA_HOST": "0.0.0.0:9999"}, "http://127.0.0.1:9999", None),
        ("ollama", {"OLLAMA_HOST": "https://gpu.example/o"}, "https://gpu.example/o", None),
        (
            "ollama",
            {"OLLAMA_HOST": "gpu:11434", "SESSIONEVAL_ALLOW_HTTP": "1"},
            "http://gpu:11434",
            None,
        ),
    ],
)
def test_address_and_key_come_from_the_environment(
    provider: str, environ: dict[str, str], url: str, key: str | None
) -> None:
    """Our own variables come first, then the provider's, then its public address."""
    found = endpoint(provider, environ)
    assert (url, key) == (found.base_url, found.key)


@pytest.mark.parametrize(
    ("provider", "environ", "said"),
    [
        ("openai", {}, "set OPENAI_API_KEY or SESSIONEVAL_API_KEY"),
        ("anthropic", {}, "set ANTHROPIC_API_KEY or SESSIONEVAL_API_KEY"),
        ("openai", {"OPENAI_API_KEY": "  "}, "set OPENAI_API_KEY"),
        (
            "openai",
            {"SESSIONEVAL_BASE_URL": "https://x.example", "OPENAI_API_KEY": "k"},
            "set SESSIONEVAL_API_KEY (with SESSIONEVAL_BASE_URL set, OPENAI_API_KEY stays",
        ),
        ("openai", {"OPENAI_BASE_URL": "http://llm.example"}, "SESSIONEVAL_ALLOW_HTTP=1"),
        ("openai", {"OPENAI_BASE_URL": "http://127.0.0.1.evil.example"}, "unencrypted"),
        ("openai", {"OPENAI_BASE_URL": "https://u:p@llm.example"}, "holds a password"),
        ("openai", {"OPENAI_BASE_URL": "https://llm.example?key=1"}, "query or fragment"),
        ("openai", {"OPENAI_BASE_URL": "llm.example"}, "accepted: https://HOST"),
        ("openai", {"OPENAI_BASE_URL": "ftp://llm.example"}, "accepted: https://HOST"),
        ("openai", {"OPENAI_BASE_URL": "https://llm.example:99999"}, "is no address"),
        ("openai", {"OPENAI_BASE_URL": "https://[::1"}, "is no address"),
        ("openai", {"SESSIONEVAL_BASE_URL": "http://169.254.169.254/v1"}, "machine metadata"),
        ("openai", {"SESSIONEVAL_BASE_URL": "https://[fe80::1]/v1"}, "machine metadata"),
        ("ollama", {"OLLAMA_HOST": "gpu:11434"}, "OLLAMA_HOST"),
    ],
)
def test_what_cannot_be_used_says_which_variable_to_set(
    provider: str, environ: dict[str, str], said: str
) -> None:
    """A missing key or an unsafe address is a setting error, before anything is sent."""
    with pytest.raises(SettingError) as caught:
        endpoint(provider, environ)
    assert said in str(caught.value)


def test_a_key_is_not_shown() -> None:
    """An endpoint in a traceback or log does not hold the key."""
    assert "secret" not in repr(endpoint("openai", {"OPENAI_API_KEY": "secret"}))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "x.localhost"])
def test_loopback_hosts(host: str) -> None:
    """Names and addresses of this machine."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.example", "10.0.0.1", "1.0.0.127"])
def test_other_hosts(host: str) -> None:
    """Look-alikes and private addresses are other machines."""
    assert not is_loopback(host)
