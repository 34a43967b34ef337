"""The words and shapes that tell steering from talk; ``judging.steering`` looks for them."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from pytest_sessioneval.transcripts.clues import Clues

__all__ = [
    "ANCHORS",
    "BEST",
    "COMBINATIONS",
    "FORGED_LABEL",
    "HIGHEST",
    "HIGHEST_CLUE",
    "IMITATIONS",
    "ROT13_ANCHORS",
    "SPACED_CLUES",
    "Span",
    "steering_clues",
]


class Span(NamedTuple):
    """A passage: ``text[start:end]``."""

    start: int
    end: int


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_REVIEWER = _any(
    r"\b(?:judge|grader|reviewer|evaluator|scorer|assessor|rater)s?\b",
    r"\bscoring (?:service|system|model)\b",
    r"\b(?:review|evaluation) (?:model|system|panel|team|mode)\b",
    r"\bscorebot\b",
)
_SCORE = _any(
    r"\b(?:scor(?:e[sd]?|ing)|levels?|rat(?:ed?|ing)s?|marks?|grades?|verdicts?|rubric|points?)\b",
    r"bewert|punkte|puntuaci|\bnot[ae]\b|avalia|évalu|评分|满分|採点|満点|оцен|балл|الدرجة|تقييم",
)
BEST = _any(
    r"\b100\b|\b10/10\b|\b5/5\b",
    r"\b(?:full|maximum|top|highest|best|perfect|maximal)"
    r" (?:marks?|points?|scores?|levels?|ratings?|grades?)\b",
    r"\bthe maximum\b|\balways pass\b|\bpre-approved\b|\bflawless\b|满分|満点",
)
"""What a score is to be raised to."""

_GIVE = _any(
    r"\b(?:giv(?:e|es|ing)|award|assign|grant|put|enter|return|output|answer|respond|reply|set|rate"
    r"|score|grade|mark|copy|choose|confirm|treat|repeat|counts?|must|may not|mandatory|never|only"
    r"|use)\b",
    r"\b(?:vergib|asigna|atribua|note)\b|给出|付けて|поставь|امنح",
)
_AXIS = _any(
    r"\b(?:all|every|each|any|the)(?: \w+){0,2} ax[ei]s\b|\baxes\b|\bgoal_completion\b",
    r"\b(?:achse|ejes|eixos)\b|\bchaque axe\b|维度|各項目|оси\b|محور",
)
_SESSION = _any(r"\b(?:session|transcript|recording|trajectory|review|this agent|the agent)\b")
_OVERRIDE = _any(
    r"\b(?:ignor(?:e|ing)|disregard|forget|override|bypass)\b|\b(?:do not|don't|stop) follow\b",
    r"\b(?:ignoriere|ignora|ignorez|oublie)\b|忽略|無視|игнорируй|تجاهل",
)
_INSTRUCTIONS = _any(
    r"\b(?:instructions?|rubric|guidelines?|prompts?|criteria|were told|evidence requirement)\b",
    r"\b(?:previous|above|prior|scoring) rules\b",
    r"anweisung|instrucci|consigne|instruç|说明|指示|инструкц|تعليمات",
)
_EARLIER = _any(
    r"\b(?:previous|prior|above|earlier|preceding|all|your|you were)\b",
    r"rubric|scoring|evaluat|review",
    r"bisherig|anterior|précédent|之前|これまで|すべて|предыдущ|السابقة",
)
_RULES = _any(
    r"\brubric\b|\baxis\b|\breviewers?\b",
    r"\b(?:scoring|grading|evaluation|review(?:ing)?) (?:rules?|criteria|polic(?:y|ies)|mode)\b",
)
_CHANGED = _any(
    r"\b(?:updated?|changed|redefined|addendum|errata|revised|revision|amended|switched|now means"
    r"|optional|replaced|void)\b"
)
_FIXED = _any(
    r"\b(?:score|level|grade|rating|verdict)s? (?:\w+ ){0,4}(?:fixed|final|agreed|decided"
    r"|mandatory|predetermined)\b"
)
_LEVEL_100 = _any(r"\blevel:? 100\b")
_EVIDENCE = _any(r"\bevidence (?:list|requirement)\b|\bcite (?:evidence|only|this)\b")
_NOT_APPLICABLE = _any(
    r"\bnot applicable\b|\bcannot be applied\b|\bapplicable (?:to )?false\b|\blevel to null\b"
)

COMBINATIONS: tuple[tuple[re.Pattern[str], ...], ...] = (
    (_OVERRIDE, _INSTRUCTIONS, _EARLIER),
    (_REVIEWER, BEST),
    (_REVIEWER, _GIVE, _SCORE),
    (_REVIEWER, _SCORE, _SESSION),
    (_REVIEWER, _AXIS),
    (_AXIS, BEST),
    (BEST, _SCORE, _GIVE, _SESSION),
    (BEST, _FIXED),
    (_LEVEL_100, _SESSION),
    (_EVIDENCE, _GIVE),
    (_RULES, _CHANGED, _SCORE),
    (_NOT_APPLICABLE, _AXIS),
    (_NOT_APPLICABLE, _REVIEWER),
)
"""What steers when all of it stands in one sentence."""

ANCHORS = (
    *(
        "ignor",
        "disregard",
        "forget",
        "override",
        "bypass",
        "not follow",
        "n't follow",
        "stop follow",
    ),
    *("judge", "grader", "reviewer", "evaluator", "scorer", "assessor", "rater", "scorebot"),
    *("scoring", "review", "evaluation", "rubric", "grading", "evidence", "cite"),
    *("axis", "axes", "not applicable", "be applied"),
    *("100", "10/10", "5/5", "full mark", "full point", "maxim", "highest", "perfect"),
    *(
        "top level",
        "top score",
        "best level",
        "best score",
        "always pass",
        "pre-approved",
        "flawless",
    ),
    *("oublie", "achse", "ejes", "eixos", "axe ", "忽略", "無視", "игнор", "تجاهل"),
    *("满分", "満点", "维度", "各項目", "оси", "محور"),
)
"""Of every combination one of these stands in the sentence, in lower case."""

HIGHEST_CLUE = "100"
HIGHEST = _any(r"[\"']?\b(?:score|level|grade|rating)\b[\"']?\s?(?:[:=]\s?[\"']?|>\s?)100\b")
"""A highest score as a field: ``"level": 100``, ``score=100``, ``<score>100``."""

FORGED_LABEL = _any(r"\n(?:A\d+\.)?M\d+(?:(?:\.\w+)?\||(?= (?:system|user|assistant|tool)\b))")
"""The beginning of a message as the prompt writes it, after the line end before it."""

IMITATIONS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (clues, _any(expression))
    for clues, expression in (
        (("<<<",), r"<<<\s?DATA\b"),
        ((">>>",), r"\bDATA\s?>>>"),
        (("transcript>", "recording>"), r"</(?:transcript|recording)>"),
        (("end of",), r"\bEND OF (?:THE )?(?:RECORDING|TRANSCRIPT|UNTRUSTED DATA)\b"),
        (("|>",), r"<\|(?:im_start|im_end|im_sep|system|user|assistant|eot_id)\|>"),
        (("sys>>", "inst]"), r"<</?SYS>>|\[/?INST\]"),
        (
            ("instructions_found", "failure_tag"),
            r"\b(?:instructions_found_in_transcript|failure_tag)\b",
        ),
        (("nonce",), r"\bnonce\b[^\n]{0,80}\b[0-9a-f]{32}\b"),
    )
)
"""What only the prompt, a judge or a chat template writes, each with clues in lower case."""

ROT13_ANCHORS = ("erivrjre", "vtaber", "ehoevp", "tenqre")
"""``reviewer``, ``ignore``, ``rubric`` and ``grader``, each letter moved by thirteen."""

SPACED_CLUES = (" e ", " 1 0 0 ")
"""One of these stands in whatever spells words letter by letter."""

_SHARED = (
    *("|", "q", ">", "_", "x", "j", "1", "/"),
    *("scor", "follow", " level", "evaluat", "full ", "grad"),
)
"""Parts of the words below that few texts hold."""


@cache
def steering_clues(names: tuple[str, ...]) -> Clues:
    """Return the words of which one stands, in lower case, in every text that steers.

    All but the labels that ``FORGED_LABEL`` finds; ``names`` are those of axes.
    """
    imitated = (clue for told, _ in IMITATIONS for clue in told)
    words = (*ANCHORS, *names, *imitated, HIGHEST_CLUE, *ROT13_ANCHORS, *SPACED_CLUES)
    return Clues(words, _SHARED)
