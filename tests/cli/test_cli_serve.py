"""``sessioneval serve``, started as a user does: what it says, whom it lets in, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from served import asked, record

from pytest_sessioneval.cli import program

MAIN = "from pytest_sessioneval.cli import main; main()"


@dataclass
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        (url,) = re.findall(r"listening on (\S+)", "".join(self.said))
        return str(url)

    def end(self, by: signal.Signals) -> tuple[int, str]:
        """Send the signal; return exit status and all that is said after it."""
        self.process.send_signal(by)
        rest, _ = self.process.communicate(timeout=60)
        return self.process.returncode, rest.strip()


@contextmanager
def started(folder: Path, *options: str, **environ: str) -> Iterator[Server]:
    """Yield a server of a folder, once it listens on a port that was free."""
    ours = {name: value for name, value in os.environ.items() if "SESSIONEVAL" not in name}
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "serve", folder.name, "--port", "0", *options],
        cwd=folder.parent,
        env=ours | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        server = Server(process)
        try:
            assert process.stdout is not None
            known = "SESSIONEVAL_TOKEN" in environ
            last = "no token" if "--no-token" in options else "listening" if known else "token:"
            for line in process.stdout:
                server.said.append(line)
                if last in line:
                    break
            yield server
        finally:
            process.kill()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a folder with a session and a broken file."""
    folder = record(tmp_path / "shop", asked("a"))
    (folder / "broken.json").write_text('{"messages": [', encoding="utf-8")
    return folder


def refused(*options: str) -> Result:
    """Return how the command ends that must not serve."""
    return CliRunner().invoke(program, ["serve", "--port", "0", *options])


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=lambda by: by.name)
def test_it_says_what_it_serves_and_ends_when_told(shop: Path, by: signal.Signals) -> None:
    """Sessions, what cannot be read, the address and the token; Ctrl-C ends it with status 0."""
    with started(shop) as server:
        text = "".join(server.said)
        assert "suite shop: 1 session\n" in text
        assert "suite shop: broken.json:1 cannot be read: the text ends too early" in text
        token = re.findall(r"^token: (\S+) ", text, re.MULTILINE)[0]
        answer = httpx.get(
            f"{server.url}/eval/sessions", headers={"Authorization": f"Bearer {token}"}
        )
        assert ["a"] == [one["session_id"] for one in answer.json()]
        assert (0, "ended") == server.end(by)


def test_it_ends_at_once_though_a_judge_never_answers(shop: Path) -> None:
    """The run is interrupted, who waits for a score is told, and no traceback is shown."""
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as others:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        judge = {"OPENAI_BASE_URL": address, "OPENAI_API_KEY": "k"}
        with started(shop, "--judge", "openai:m", "--no-token", **judge) as server:
            run = httpx.post(f"{server.url}/eval/run", json={"scope": "all"}).json()["run_id"]
            first, _ = silent.accept()
            sample = {"question": "q", "answer": "a b c", "contexts": ["a b"]}
            scored = others.submit(httpx.post, f"{server.url}/api/score", json=sample, timeout=60)
            second, _ = silent.accept()
            with first, second:
                began = time.monotonic()
                assert (0, "ended") == server.end(signal.SIGINT)
                assert time.monotonic() - began < 10
            assert (503, {"detail": "the server is ending: ask again when it is up"}) == (
                scored.result().status_code,
                scored.result().json(),
            )
    with started(shop, "--no-token") as server:
        found = httpx.get(f"{server.url}/eval/run/{run}").json()
    assert "interrupted" == found["state"]


def test_the_token_of_the_environment_is_not_printed(shop: Path) -> None:
    """It is known to who set it, and logs are read by others."""
    with started(shop, SESSIONEVAL_TOKEN="secret-of-ours") as server:  # noqa: S106 - a test's
        assert 401 == httpx.get(f"{server.url}/eval/sessions").status_code
        shown = {"Authorization": "Bearer secret-of-ours"}
        assert 200 == httpx.get(f"{server.url}/eval/sessions", headers=shown).status_code
        server.end(signal.SIGINT)
        assert "secret-of-ours" not in "".join(server.said)


def test_what_was_found_is_kept_beside_the_folder(shop: Path) -> None:
    """The store is that of runs started here, and may be looked at with the other commands."""
    with started(shop) as server:
        server.end(signal.SIGINT)
    assert (shop.parent / ".sessioneval" / "store.db").is_file()
    assert "*\n" == (shop.parent / ".sessioneval" / ".gitignore").read_text("utf-8")


def test_it_listens_on_this_machine_alone_unless_told_otherwise() -> None:
    """On 127.0.0.1, port 8000."""
    known = {parameter.name: parameter.default for parameter in program.commands["serve"].params}
    assert ("127.0.0.1", 8000) == (known["host"], known["port"])


def test_what_is_posted_is_kept_where_out_says(shop: Path) -> None:
    """In a folder `posted` of it, and not in .sessioneval."""
    chat = {"messages": [{"role": "user", "content": "Hi."}]}
    with started(shop, "--no-token", "--out", "elsewhere") as server:
        assert 200 == httpx.post(f"{server.url}/eval/sessions", json=chat).status_code
        server.end(signal.SIGINT)
    assert 1 == len([*(shop.parent / "elsewhere" / "posted").glob("*.jsonl")])
    assert not (shop.parent / ".sessioneval" / "posted").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org"])  # noqa: S104
def test_no_token_is_refused_beyond_loopback(host: str) -> None:
    """Before anything is listened on."""
    done = refused("--no-token", "--host", host)
    assert 2 == done.exit_code
    assert f"--no-token: {host} can be reached from other machines" in done.stderr


@pytest.mark.parametrize("token", ["", "two words", "tök", "line\nbreak"])
def test_a_token_that_no_header_can_hold_is_refused(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """Nobody could show it; it is not repeated."""
    monkeypatch.setenv("SESSIONEVAL_TOKEN", token)
    done = refused()
    assert 2 == done.exit_code
    assert "SESSIONEVAL_TOKEN: it is empty or holds what no header can" in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it, and no traceback."""
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = CliRunner().invoke(program, ["serve", "--port", port])
    assert 2 == done.exit_code
    assert f"--port {port}: cannot be listened on: Address already in use" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nowhere"], "nowhere is no folder"),
        (["--host", "8.8.8.8"], "cannot be listened on: Cannot assign requested address"),
        (["--host", "no such.invalid"], "it is no address of this machine"),
        (["--allow-host", "http://a.example/x"], "'http://a.example/x' is no host name"),
        (["--store", "shop.db"], "is no URL"),
        (["--port", "70000"], "70000 is not in the range"),
        (["--scoring-workers", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_served_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    """In one line that names the option and what is accepted."""
    monkeypatch.chdir(tmp_path)
    done = refused(*options)
    assert 2 == done.exit_code
    assert said in done.stderr


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        ("nonsense", "--judge nonsense: 'nonsense' is no judge"),
        ("openai:m", "--judge openai:m: no key for the judge at api.openai.com"),
        ("hook:ours", "--judge hook:ours: no Python judge is named 'ours'"),
    ],
)
def test_a_judge_that_was_named_and_cannot_be_asked_is_refused(
    shop: Path, monkeypatch: pytest.MonkeyPatch, judge: str, said: str
) -> None:
    """A judge of a suite file that cannot be opened is only told: its sessions may be looked at."""
    monkeypatch.chdir(shop.parent)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("SESSIONEVAL_API_KEY", raising=False)
    done = refused("shop", "--judge", judge)
    assert 2 == done.exit_code
    assert said in done.stderr


def test_a_recording_that_is_typed_is_looked_for_where_it_is_typed(shop: Path) -> None:
    """``--judge recorded:`` is relative to here, as for the other commands."""
    (shop.parent / "replies.jsonl").write_text("", encoding="utf-8")
    with started(shop, "--no-token", "--judge", "recorded:replies.jsonl") as server:
        assert "listening on" in "".join(server.said)


def test_a_judge_of_a_suite_file_that_cannot_be_asked_is_told(shop: Path) -> None:
    """With what is missing; what the store has of its sessions is served."""
    (shop / "sessioneval.toml").write_text('[judge]\nmodel = "openai:m"\n', encoding="utf-8")
    with started(shop, "--no-token", OPENAI_API_KEY="") as server:
        assert "suite shop: no key for the judge" in "".join(server.said)
        assert 200 == httpx.get(f"{server.url}/eval/sessions").status_code


def test_without_the_extra_the_command_to_install_it_is_told() -> None:
    """And no other command needs it."""
    code = f"import sys; sys.modules['fastapi'] = None; sys.argv[1:] = ['serve']; {MAIN}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 2 == done.returncode
    assert "pip install 'pytest-sessioneval[server]'" in done.stderr
