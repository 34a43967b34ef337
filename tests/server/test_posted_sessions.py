"""Sessions that are posted: any format, once, without secrets, and there after a restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from served import Caller, asked, judged, opened, record

from pytest_sessioneval.server.service import Service
from pytest_sessioneval.testing import transcript
from pytest_sessioneval.transcripts.digest import digest
from pytest_sessioneval.transcripts.formats.sessioneval import to_lines
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.redaction import redact
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

OpenService = Callable[..., Service]
Call = Callable[..., Caller]

CHAT = {
    "messages": [
        {"role": "user", "content": "Cancel my order W12."},
        {"role": "assistant", "content": "Order W12 is cancelled."},
    ]
}


def lines(*sessions: Transcript) -> bytes:
    """Return sessions as a body of JSON Lines."""
    return "".join(f"{line}\n" for one in sessions for line in to_lines(one)).encode()


def post(client: Caller, body: bytes, kind: str = "application/x-ndjson") -> dict[str, Any]:
    """Post a body that must be accepted."""
    answer = client.post("/eval/sessions", content=body, headers={"Content-Type": kind})
    assert 200 == answer.status_code, answer.text
    said: dict[str, Any] = answer.json()
    return said


def listed(client: Caller) -> list[str]:
    """Return the ids of all sessions."""
    return [one["session_id"] for one in client.get("/eval/sessions").json()]


def test_a_posted_transcript_is_a_session(service: Service, call: Call) -> None:
    """The answer is its id, and it is listed at once, pending."""
    client = call(service)
    said = post(client, lines(asked("a/b")))
    assert ("a/b", [{"session_id": "a/b", "state": "new"}]) == (
        said["session_id"],
        said["sessions"],
    )
    assert ("pending", 4) == (
        client.get("/eval/sessions").json()[0]["eval_status"],
        client.get("/eval/sessions/a%2Fb").json()["msg_count"],
    )


def test_the_same_content_twice_is_one_session(service: Service, call: Call) -> None:
    """Byte for byte, or spelled in another way; the id is the same."""
    client = call(service)
    bodies = [json.dumps(CHAT), json.dumps(CHAT), json.dumps(CHAT, indent=2)]
    said = [post(client, body.encode(), "application/json") for body in bodies]
    assert ["new", "known", "known"] == [one["sessions"][0]["state"] for one in said]
    assert [said[0]["session_id"]] == listed(client)
    assert {said[0]["session_id"]} == {one["session_id"] for one in said}


def test_what_lies_in_a_folder_is_not_kept_again(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """The answer is the id of the session that is there, secrets or not."""
    secret = "ghp_" + "a1B2" * 9
    one = transcript(("user", f"My key is {secret}."), ("assistant", "Noted."), session_id="a")
    client = call(open_service(record(tmp_path / "shop", one)))
    said = post(client, lines(one))
    assert [{"session_id": "a", "state": "known"}] == said["sessions"]
    assert ["a"] == listed(client)


def test_a_session_that_grew_replaces_its_beginning(service: Service, call: Call) -> None:
    """And stays when the beginning is posted again, whatever comes first."""
    client = call(service)
    beginning = transcript(("user", "Hello?"), ("assistant", "Yes?"), session_id="a")
    grown = transcript(
        ("user", "Hello?"), ("assistant", "Yes?"), ("user", "Never mind."), session_id="a"
    )
    states = [post(client, lines(one))["sessions"][0]["state"] for one in (beginning, grown)]
    states.append(post(client, lines(beginning))["sessions"][0]["state"])
    assert ["new", "replaced", "known"] == states
    assert [3] == [one["msg_count"] for one in client.get("/eval/sessions").json()]


def test_other_content_of_an_id_makes_its_evaluation_stale(
    service: Service, call: Call, tmp_path: Path
) -> None:
    """The newer transcript is the session; what was said of the older one stays, as history."""
    client = call(service)
    post(client, lines(asked("a")))
    judged(service, tmp_path / ".sessioneval" / "posted")
    status = [client.get("/eval/sessions").json()[0]["eval_status"]]
    post(client, lines(transcript(("user", "Hi."), ("assistant", "Hi."), session_id="a")))
    status.append(client.get("/eval/sessions").json()[0]["eval_status"])
    assert ["evaluated", "stale"] == status
    assert 1 == len(client.get("/eval/sessions/a").json()["evaluations"])


def test_several_sessions_in_one_body_are_kept_as_several(service: Service, call: Call) -> None:
    """The answer has all their ids, the first one's in front."""
    client = call(service)
    said = post(client, lines(asked("a"), asked("b"), asked("a")))
    assert "a" == said["session_id"]
    assert ["a", "b"] == listed(client)


def test_a_table_of_samples_is_accepted(service: Service, call: Call) -> None:
    """CSV with a question and an answer, as text/csv."""
    table = b"question,answer,contexts\nWhat is it?,A parcel.,It is a parcel.\n"
    said = post(call(service), table, "text/csv")
    assert [1] == [len(said["sessions"])]


def test_secrets_of_a_posted_session_are_not_kept(
    service: Service, call: Call, tmp_path: Path
) -> None:
    """Neither the file nor the store has them."""
    secret = "ghp_" + "a1B2" * 9
    body = lines(transcript(("user", f"My key is {secret}."), session_id="a", name=secret))
    client = call(service)
    post(client, body)
    kept = b"".join(
        file.read_bytes() for file in (tmp_path / ".sessioneval").rglob("*") if file.is_file()
    )
    assert secret.encode() not in kept
    assert "[REDACTED:github-token:1]" == client.get("/eval/sessions/a").json()["name"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is empty"),
        (b"{", "line 1: the text ends too early"),
        (b'{"a": 1}', "no session of a known format"),
        (b"[" * 2_000 + b"]" * 2_000, "nested deeper than 64 levels"),
        (b"\xff\xfe\x00", "UTF-16"),
        (b'{"messages": [{"role": "user", "content": NaN}]}', "NaN"),
    ],
)
def test_what_is_no_transcript_says_why(
    service: Service, call: Call, body: bytes, said: str
) -> None:
    """The answer names the line where there is one, and nothing is kept."""
    client = call(service)
    answer = client.post(
        "/eval/sessions", content=body, headers={"Content-Type": "application/json"}
    )
    (problem,) = answer.json()["detail"]
    assert (422, ["body"]) == (answer.status_code, problem["loc"])
    assert said in problem["msg"]
    assert [] == listed(client)


@pytest.mark.parametrize(
    "session_id", ["../../etc/passwd", "a/b", "x" * 300, "", ".", "Ä ö", "-rf"]
)
def test_an_id_never_chooses_where_its_file_lies(
    service: Service, call: Call, tmp_path: Path, session_id: str
) -> None:
    """Every file lies in one folder, under a name made of letters, digits and hyphens."""
    post(call(service), lines(asked(session_id)))
    folder = tmp_path / ".sessioneval" / "posted"
    (file,) = folder.rglob("*.jsonl")
    assert folder == file.parent
    assert file.stem.replace("-", "").isalnum()
    assert len(file.stem) <= 53


def test_a_link_out_of_the_output_folder_is_not_followed(
    service: Service, call: Call, tmp_path: Path
) -> None:
    """Nothing is written where the link leads."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".sessioneval").mkdir(exist_ok=True)
    (tmp_path / ".sessioneval" / "posted").symlink_to(elsewhere)
    answer = call(service).post(
        "/eval/sessions", content=lines(asked("a")), headers={"Content-Type": "application/json"}
    )
    assert 503 == answer.status_code
    assert "by a link" in answer.json()["detail"]
    assert [] == [*elsewhere.iterdir()]


def test_posted_sessions_are_there_after_a_restart(
    store_url: str, call: Call, tmp_path: Path
) -> None:
    """The second service knows what was posted to the first, and what is the same."""
    with opened(store_url, tmp_path) as first:
        post(call(first), lines(asked("a")))
    with opened(store_url, tmp_path) as second:
        client = call(second)
        assert ["a"] == listed(client)
        assert "known" == post(client, lines(asked("a")))["sessions"][0]["state"]


def test_two_servers_of_one_folder_see_what_is_posted_to_either(
    store_url: str, call: Call, tmp_path: Path
) -> None:
    """Each finds the other's sessions when it looks again."""
    with opened(store_url, tmp_path) as first, opened(store_url, tmp_path) as second:
        post(call(first), lines(asked("a")))
        post(call(second), lines(asked("b")))
        first.sessions.now()
        assert first.sessions.find("b") is not None
        assert second.sessions.find("a") is not None


def test_every_format_is_kept_as_it_was_read(
    service: Service, call: Call, shared_data: Path
) -> None:
    """Real recordings, posted, are read back with the digests they had without their secrets."""
    client = call(service)
    expected: dict[str, str] = {}
    registry = Registry(builtin_readers())
    for pattern in ("tau-bench/*.json", "claude-code/**/*.jsonl", "tau2-bench/**/*.json"):
        for file in sorted(shared_data.glob(pattern))[:2]:
            if registry.owns(file) or file.stat().st_size > 2_000_000:
                continue
            answer = client.post(
                "/eval/sessions",
                content=file.read_bytes(),
                headers={"Content-Type": "application/json"},
            )
            assert 200 == answer.status_code, answer.text
            document = registry.read(file)
            ids = [one["session_id"] for one in answer.json()["sessions"]]
            for session_id, found in zip(ids, document.sessions, strict=True):
                expected[session_id] = digest(redact(found.transcript).transcript)
    (posted,) = service.sessions.now()
    kept = {one.session.session_id: one.session.summary.digest for one in posted.members}
    assert len(expected) > 20
    assert expected == {name: kept[name] for name in expected}
