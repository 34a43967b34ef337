"""Where a judge's card lies, and which one is in force."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.gate.agreement.card import JudgeCard
from pytest_sessioneval.gate.agreement.standing import Standing, standing
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.verdicts.run import Run

__all__ = ["CARD_FILE", "card_path", "standing_of", "standings"]

CARD_FILE = "judge_card.json"
"""What a card's file is called."""

_LARGEST = 4 * 1024 * 1024
_ODD = re.compile(r"[^A-Za-z0-9]+")


def card_path(out: Path, judge_version: str, rubric_version: str) -> Path:
    """Return where the card of this judge with this rubric lies in an output folder."""
    slug = _ODD.sub("-", judge_version.partition("@")[0]).strip("-")[:40]
    digest = sha256(f"{judge_version}\n{rubric_version}".encode()).hexdigest()[:12]
    return out / "judge-cards" / f"{slug}-{digest}" / CARD_FILE


def standings(run: Run, plan: Plan, *, out: Path) -> dict[str, Standing]:
    """Return what the card in force says of each suite's judge, by suite."""
    return {
        suite_run.suite: standing_of(
            suite_plan.suite, suite_run.judge.version, suite_run.rubric_version, out=out
        )
        for suite_run, suite_plan in zip(run.suites, plan.suites, strict=True)
    }


def standing_of(suite: Suite, judge_version: str, rubric_version: str, *, out: Path) -> Standing:
    """Return what the card in force says of the suite's judge.

    The file that ``[judge] card`` names counts before one in the output folder;
    a card of another judge or rubric is no card.
    """
    named = suite.settings.judge.card
    places = [card_path(out, judge_version, rubric_version)]
    if named is not None:
        places.insert(0, suite.root / named)
    why = ""
    for place in places:
        card = _read(place)
        if isinstance(card, JudgeCard):
            if (card.judge_version, card.rubric_version) == (judge_version, rubric_version):
                return standing(card, suite.settings.gate)
            why = why or f"{place.name} is of {card.judge_version} with {card.rubric_version}"
        else:
            why = why or card
    return standing(None, suite.settings.gate, why=why)


def _read(path: Path) -> JudgeCard | str:
    """Return the card in a file, or why there is none; empty: there is no file."""
    try:
        if path.stat().st_size > _LARGEST:
            return f"{path.name} is too large to be a card"
        return JudgeCard.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}"
    except ValidationError:
        return f"{path.name} is no judge card of this version"
