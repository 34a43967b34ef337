"""Whether a session counts as evaluated: by the settings and files as they are now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from served import AXES, Caller, asked, evaluated, judged, record

from pytest_sessioneval.server.service import Service
from pytest_sessioneval.stores.listings import CurrentVersions
from pytest_sessioneval.suites.rubric import rubric_source
from pytest_sessioneval.testing import transcript

OpenService = Callable[..., Service]
Call = Callable[..., Caller]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a folder of two sessions."""
    return record(tmp_path / "shop", asked("a"), asked("b"))


def statuses(client: Caller, query: str = "") -> dict[str, str]:
    """Return each listed session's status by its id."""
    listed = client.get(f"/eval/sessions{query}").json()
    return {one["session_id"]: one["eval_status"] for one in listed}


def test_a_session_without_an_evaluation_is_pending(
    open_service: OpenService, call: Call, shop: Path
) -> None:
    """Its average, its date and its versions are null."""
    (only, _) = call(open_service(shop)).get("/eval/sessions").json()
    assert "pending" == only["eval_status"]
    latest = {name: value for name, value in only.items() if name.startswith("latest_")}
    assert {
        "latest_avg": None,
        "latest_eval_date": None,
        "latest_judge_version": None,
        "latest_rubric_version": None,
    } == latest


def test_a_session_is_evaluated_under_the_current_versions(
    open_service: OpenService, call: Call, shop: Path
) -> None:
    """After the command judged the folder, by the service's own judge and rubric."""
    service = open_service(shop)
    judged(service, shop)
    (only, _) = call(service).get("/eval/sessions").json()
    (current,) = service.current()
    assert ("evaluated", current.judge_version, current.rubric_version) == (
        only["eval_status"],
        only["latest_judge_version"],
        only["latest_rubric_version"],
    )
    assert set(AXES) == set(only["latest_avg"])


def test_a_transcript_that_changed_is_stale(
    open_service: OpenService, call: Call, shop: Path
) -> None:
    """A file that is written to while the service runs is read again."""
    service = open_service(shop)
    judged(service, shop)
    client = call(service)
    assert {"a": "evaluated", "b": "evaluated"} == statuses(client)
    grown = transcript(("user", "Hello?"), ("assistant", "Hello."), session_id="a")
    record(shop, grown, asked("b"))
    assert {"a": "stale", "b": "evaluated"} == statuses(client)


def test_another_rubric_makes_evaluations_stale_at_once(
    open_service: OpenService, call: Call, shop: Path
) -> None:
    """Current is what the settings say now, whatever the last run was made with."""
    service = open_service(shop)
    judged(service, shop)
    client = call(service)
    suite_file = shop / "sessioneval.toml"
    suite_file.write_text('[suite]\nname = "shop"\n', encoding="utf-8")
    assert {"a": "evaluated", "b": "evaluated"} == statuses(client)
    newer = rubric_source("agent").replace("version = 1", "version = 2", 1)
    (shop / "own.toml").write_text(newer, encoding="utf-8")
    suite_file.write_text('[suite]\nname = "shop"\nrubric = "own.toml"\n', encoding="utf-8")
    assert {"a": "stale", "b": "stale"} == statuses(client)


def test_an_evaluation_by_another_judge_is_stale(
    open_service: OpenService, call: Call, shop: Path
) -> None:
    """Who judged must be who judges now, and by which rubric."""
    service = open_service(shop)
    (now,) = service.current()
    other = CurrentVersions(now.suite, now.rubric_version, "panel@1#old")
    older = CurrentVersions(now.suite, "agent@0#old", now.judge_version)
    evaluated(service, "a", {"efficiency": 60}, versions=other)
    evaluated(service, "b", {"efficiency": 60}, versions=older)
    assert {"a": "stale", "b": "stale"} == statuses(call(service))


def test_an_evaluation_that_lacks_an_expected_expert_is_stale(
    open_service: OpenService, call: Call, shop: Path
) -> None:
    """One that another expert gave in its place does not stand for it."""
    service = open_service(shop)
    evaluated(service, "a", {"efficiency": 60}, expert="somebody")
    evaluated(service, "b", {"efficiency": 60}, expert="evidence")
    assert {"a": "stale", "b": "evaluated"} == statuses(call(service))


def test_the_latest_evaluation_counts(open_service: OpenService, call: Call, shop: Path) -> None:
    """A newer one by another judge hides a current one; an older one does not."""
    service = open_service(shop)
    (now,) = service.current()
    other = CurrentVersions(now.suite, now.rubric_version, "panel@1#old")
    for session_id, current_ago, other_ago in (("a", 1, 2), ("b", 2, 1)):
        evaluated(service, session_id, {"efficiency": 80}, days_ago=current_ago)
        evaluated(service, session_id, {"efficiency": 20}, days_ago=other_ago, versions=other)
    client = call(service)
    assert {"a": "evaluated", "b": "stale"} == statuses(client)
    averages = [one["latest_avg"]["efficiency"] for one in client.get("/eval/sessions").json()]
    assert [80, 20] == averages


def test_the_filter_uses_the_same_rule_as_the_column(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """Each status lists the sessions that show it, and no others."""
    service = open_service(record(tmp_path / "shop", asked("a"), asked("b"), asked("c")))
    evaluated(service, "a", {"efficiency": 60})
    evaluated(service, "b", {"efficiency": 60}, expert="somebody")
    client = call(service)
    expected = {"evaluated": ["a"], "stale": ["b"], "pending": ["c"]}
    assert expected == {status: [*statuses(client, f"?status={status}")] for status in expected}
    assert {"a": "evaluated", "b": "stale", "c": "pending"} == statuses(client)


def test_the_latest_average_is_the_mean_over_the_experts(
    open_service: OpenService, call: Call, shop: Path
) -> None:
    """All seven axes, as integers or null: rounded as Python does, null without a score."""
    service = open_service(shop)
    evaluated(service, "a", {"efficiency": 60, "communication": 20}, expert="one")
    evaluated(service, "a", {"efficiency": 65, "communication": 21, "goal_completion": None})
    average = call(service).get("/eval/sessions").json()[0]["latest_avg"]
    expected = dict.fromkeys(AXES) | {"efficiency": 62, "communication": 20}
    assert expected == average


def test_a_judge_that_cannot_be_opened_leaves_the_versions_of_the_last_run(
    open_service: OpenService, call: Call, shop: Path
) -> None:
    """Without a key for it, sessions can still be looked at; the source says what is missing."""
    service = open_service(shop)
    judged(service, shop)
    keyless = open_service(shop, judge="openai:gpt-5-mini")
    client = call(keyless)
    assert {"a": "evaluated", "b": "evaluated"} == statuses(client)
    (source,) = client.get("/eval/sources").json()
    assert "OPENAI_API_KEY" in source["problem"]
