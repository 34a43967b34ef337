"""What a run costs: counted, capped, said; measured against a server with a cache of prefixes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugin_runs import Runs, Sessions, good_messages, outcomes, refusal

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


@WORKERS
def test_an_estimate_counts_and_judges_nothing(
    pytester: pytest.Pytester,
    runs: Runs,
    caching_judge: JudgeServer,
    prices: Path,
    workers: tuple[str, ...],
) -> None:
    """Calls, tokens and cost, exit 0, and no run, no item, no request."""
    result = pytester.runpytest(
        "suite", f"--sessioneval-prices={prices}", "--sessioneval-estimate", *workers
    )
    assert pytest.ExitCode.OK == result.ret
    result.stdout.fnmatch_lines(
        [
            "estimate: 3 sessions, 0 from store; 3 to judge: 9 calls to openai:cheap",
            "about * tokens in, * out, about $0.*",
            "nothing was judged, no test run and no gate decided*",
        ]
    )
    assert {} == outcomes(result)
    assert 0 == caching_judge.calls
    assert [] == runs.folders


@WORKERS
@pytest.mark.usefixtures("caching_judge")
def test_a_run_says_beforehand_what_it_is_likely_to_cost(
    pytester: pytest.Pytester, runs: Runs, prices: Path, workers: tuple[str, ...]
) -> None:
    """Before the first call; the true cost, most of the prompts cached, is not higher."""
    result = pytester.runpytest("suite", f"--sessioneval-prices={prices}", *workers)
    (line,) = (line for line in result.outlines if line.startswith("judging "))
    head, _, about = line.partition(", about $")
    assert "judging 3 sessions: 9 calls to openai:cheap (0 from store)" == head
    assert 0.5 < float(about) / runs.suite["spent"]["cost_usd"] < 2


@pytest.mark.usefixtures("caching_judge")
def test_an_estimate_counts_only_what_is_not_stored(
    pytester: pytest.Pytester, prices: Path
) -> None:
    """And says so when nobody would be asked."""
    pytester.runpytest("suite", f"--sessioneval-prices={prices}")
    result = pytester.runpytest("suite", "--sessioneval-estimate")
    result.stdout.fnmatch_lines(["estimate: 3 sessions, 3 from store; nobody would be asked"])


@pytest.mark.usefixtures("caching_judge", "prices")
def test_an_estimate_without_a_price_says_so(pytester: pytest.Pytester) -> None:
    """Calls and tokens are counted all the same."""
    result = pytester.runpytest("suite", "--sessioneval-estimate")
    result.stdout.fnmatch_lines(["about * tokens in, * out, of unknown price*"])


def test_an_estimate_counts_the_parts_of_long_sessions(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs, caching_judge: JudgeServer
) -> None:
    """As many calls as the run then makes."""
    sessions.suite(f"{SUITE}context_tokens = 20000\n", "long")
    said = [message for n in range(60) for message in good_messages(f"{n} {'very ' * 200}")]
    sessions.text("long/a.json", json.dumps({"messages": said}))
    estimate = pytester.runpytest("long", "--sessioneval-estimate")
    pytester.runpytest("long")
    (session,) = runs.suite["sessions"]
    assert session["verdict"]["opinions"][0]["view"]["parts"] > 2
    estimate.stdout.fnmatch_lines([f"estimate: *: {caching_judge.calls} calls to openai:cheap"])


@pytest.mark.usefixtures("prices")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sessioneval-require-gate",), "asks for a decision"),
        (("--sessioneval-fail-under=efficiency:50",), "asks for a decision"),
    ],
)
def test_an_estimate_is_no_way_past_a_check(
    pytester: pytest.Pytester, options: tuple[str, ...], said: str
) -> None:
    """It judges nothing, so a decision asked for beside it is refused."""
    message = refusal(pytester.runpytest("suite", "--sessioneval-estimate", *options))
    assert message.startswith("--sessioneval-estimate judges nothing")
    assert said in message


@pytest.mark.usefixtures("prices")
def test_a_file_of_the_repository_cannot_ask_for_an_estimate(pytester: pytest.Pytester) -> None:
    """Else one word in ``addopts`` would turn every run green."""
    pytester.makeini("[pytest]\naddopts = --sessioneval-estimate\n")
    assert "only the command line itself" in refusal(pytester.runpytest("suite"))
