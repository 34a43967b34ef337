"""Sessions for benchmarks: distinct, of about the size asked for, in OpenAI chat format."""

from __future__ import annotations

import json
import random
from pathlib import Path

__all__ = ["make_bare", "make_session", "make_suite"]

BARE_ITEMS = """
import pytest
class One(pytest.Item):
    def runtest(self): self.path.read_bytes()
class File(pytest.File):
    def collect(self): yield One.from_parent(self, name="session")
def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".json": return File.from_parent(parent, path=file_path)
"""

_WORDS = [
    *("order", "parcel", "refund", "window", "agent", "address", "label", "courier"),
    *("delay", "voucher", "invoice", "return", "stock", "size", "colour", "pickup"),
    *("branch", "morning", "evening", "customer", "number", "account", "please", "check"),
]


def make_session(number: int, size: int = 2_000) -> list[dict[str, object]]:
    """Return one session of about ``size`` characters: a user, tool calls, an answer."""
    dice = random.Random(number)
    messages: list[dict[str, object]] = [
        {"role": "system", "content": "You are the support agent of a parcel company."},
        {"role": "user", "content": f"Where is parcel P{number:06}? {_prose(dice, 20)}"},
    ]
    step = 0
    while len(json.dumps(messages)) < size:
        step += 1
        call = {"name": "track", "arguments": json.dumps({"parcel": f"P{number:06}", "step": step})}
        messages.append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": f"c{step}", "type": "function", "function": call}],
            }
        )
        result = {"parcel": f"P{number:06}", "scan": step, "note": _prose(dice, 25)}
        messages.append({"role": "tool", "tool_call_id": f"c{step}", "content": json.dumps(result)})
    answer = f"Parcel P{number:06} was scanned {step} times and arrives tomorrow morning."
    messages.append({"role": "assistant", "content": answer})
    return messages


def make_suite(folder: Path, count: int, *, size: int = 2_000, toml: str = "") -> None:
    """Write ``count`` session files and a suite file into a new folder."""
    folder.mkdir(parents=True)
    for number in range(count):
        text = json.dumps(make_session(number, size))
        (folder / f"s{number:06}.json").write_text(text, encoding="utf-8")
    (folder / "sessioneval.toml").write_text(toml, encoding="utf-8")


def make_bare(folder: Path, count: int) -> None:
    """Write the same files, which a conftest makes file items that only read them."""
    make_suite(folder, count)
    (folder / "sessioneval.toml").unlink()
    (folder / "conftest.py").write_text(BARE_ITEMS, encoding="utf-8")


def _prose(dice: random.Random, count: int) -> str:
    return " ".join(dice.choice(_WORDS) for _ in range(count))
