"""What a run costs: counted, capped, said; measured against a server with a cache of prefixes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plugin_runs import Runs, Sessions, outcomes, refusal

from pytest_sessioneval.testing import JudgeServer

SUITE = '[judge]\nmodel = "openai:cheap"\nmax_output_tokens = 2000\n'
PRICES = """[[model]]
name = "openai:cheap"
[model.prices]
input = 1.0
cached = 0.1
output = 10.0
"""
INPUT, CACHED, OUTPUT = 1.0 / 1e6, 0.1 / 1e6, 10.0 / 1e6
WORKERS = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "n2"])


@pytest.fixture
def caching_judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Return a judge that reports prompts as cached as far as they begin like an earlier one."""
    with JudgeServer(prefix_cache=True) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def prices(sessions: Sessions) -> Path:
    """Write a suite of three sessions and a table with its judge's price; return the table."""
    sessions.suite(SUITE, "suite")
    sessions.good("suite/a.json", "suite/b.json", "suite/c.json")
    return sessions.text("prices.toml", PRICES)


@WORKERS
@pytest.mark.usefixtures("caching_judge")
def test_the_cost_is_that_of_the_tokens_reported(
    pytester: pytest.Pytester, runs: Runs, prices: Path, workers: tuple[str, ...]
) -> None:
    """In the report per suite, per verdict and per opinion, and on the terminal."""
    result = pytester.runpytest("suite", f"--sessioneval-prices={prices}", *workers)
    assert {"passed": 3} == outcomes(result)
    spent = runs.suite["spent"]
    plain = spent["input_tokens"] - spent["cached_tokens"]
    by_hand = plain * INPUT + spent["cached_tokens"] * CACHED + spent["output_tokens"] * OUTPUT
    assert by_hand == pytest.approx(spent["cost_usd"], abs=1e-7)
    assert by_hand / 3 == pytest.approx(runs.suite["cost_per_verdict_usd"], abs=1e-5)
    per_opinion = [
        opinion["spent"]["cost_usd"]
        for session in runs.suite["sessions"]
        for opinion in session["verdict"]["opinions"]
    ]
    assert by_hand == pytest.approx(sum(per_opinion), abs=1e-7)
    said = " ".join(result.stdout.str().split())
    assert f"3 judged, 0 from store · ${by_hand:.4f} · 9 calls" in said
    assert f"- cost: \\${by_hand:.4f} " in (runs.folders[-1] / "report.md").read_text("utf-8")


@WORKERS
def test_a_sessions_first_expert_fills_the_cache_for_the_others(
    pytester: pytest.Pytester,
    runs: Runs,
    caching_judge: JudgeServer,
    prices: Path,
    workers: tuple[str, ...],
) -> None:
    """Two of three requests find rules and session in the cache, however many run at once."""
    pytester.runpytest("suite", f"--sessioneval-prices={prices}", *workers)
    assert 9 == caching_judge.calls
    for session in runs.suite["sessions"]:
        first, *others = (each["spent"] for each in session["verdict"]["opinions"])
        assert first["cached_tokens"] < 0.8 * first["input_tokens"]
        for spent in others:
            assert spent["cached_tokens"] > first["cached_tokens"]


@pytest.mark.usefixtures("caching_judge")
def test_a_price_that_is_not_known_is_said(
    pytester: pytest.Pytester, runs: Runs, prices: Path
) -> None:
    """Calls are counted, and no sum pretends to be all of it."""
    prices.unlink()
    pytester.runpytest("suite")
    assert (0.0, 9) == (runs.suite["spent"]["cost_usd"], runs.suite["spent"]["unpriced_calls"])
    assert None is runs.suite["cost_per_verdict_usd"]


@WORKERS
def test_a_cap_ends_the_run_incomplete_and_a_second_run_goes_on(
    pytester: pytest.Pytester,
    runs: Runs,
    caching_judge: JudgeServer,
    prices: Path,
    workers: tuple[str, ...],
) -> None:
    """What was judged is kept; nobody is asked about it again; the cap held."""
    one_at_a_time = (f"--sessioneval-prices={prices}", "--sessioneval-concurrency=1", *workers)
    result = pytester.runpytest("suite", *one_at_a_time, "--sessioneval-max-cost=0.045")
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(["*the budget of $0.045 is spent*--sessioneval-max-cost*"])
    asked = caching_judge.calls
    assert 0 < asked < 9
    assert 0 < runs.suite["spent"]["cost_usd"] <= 0.045
    assert {"passed": 3} == outcomes(pytester.runpytest("suite", *one_at_a_time))
    assert 9 == caching_judge.calls


@WORKERS
@pytest.mark.usefixtures("prices")
def test_a_cap_without_a_price_is_a_usage_error(
    pytester: pytest.Pytester, caching_judge: JudgeServer, workers: tuple[str, ...]
) -> None:
    """Exit 4 before anything is asked, with what to do."""
    result = pytester.runpytest("suite", "--sessioneval-max-cost=5", *workers)
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    said = result.stdout.str() + result.stderr.str()
    assert "the price of openai:cheap is not known" in said
    assert "--sessioneval-prices FILE" in said
    assert 0 == caching_judge.calls


@pytest.mark.usefixtures("caching_judge", "prices")
def test_prices_from_the_repository_are_refused(pytester: pytest.Pytester) -> None:
    """``addopts`` and ini files are files of the repository under test."""
    pytester.makeini("[pytest]\naddopts = --sessioneval-prices=prices.toml\n")
    message = refusal(pytester.runpytest("suite"))
    assert "on the command line or by SESSIONEVAL_PRICES only" in message


@pytest.mark.usefixtures("caching_judge")
def test_prices_may_come_from_the_environment(
    pytester: pytest.Pytester, runs: Runs, prices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the command line."""
    monkeypatch.setenv("SESSIONEVAL_PRICES", str(prices))
    assert {"passed": 3} == outcomes(pytester.runpytest("suite", "--sessioneval-max-cost=5"))
    assert runs.suite["spent"]["cost_usd"] > 0


@pytest.mark.usefixtures("caching_judge")
def test_a_mistake_in_the_price_table_names_its_line(
    pytester: pytest.Pytester, sessions: Sessions, prices: Path
) -> None:
    """Exit 4, one line."""
    sessions.text("prices.toml", PRICES.replace("input = 1.0", "input = -1.0"))
    message = refusal(pytester.runpytest("suite", f"--sessioneval-prices={prices}"))
    assert "prices.toml:4: " in message


@pytest.mark.usefixtures("caching_judge")
def test_without_a_file_the_price_table_is_refused(pytester: pytest.Pytester, prices: Path) -> None:
    """Exit 4, with the file's name."""
    prices.unlink()
    assert "prices.toml" in refusal(pytester.runpytest("suite", f"--sessioneval-prices={prices}"))
