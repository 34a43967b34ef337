"""The SQL that a store runs, one text for every database, and what it makes of statuses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pytest_sessioneval.stores.protocol import SessionStatus

__all__ = [
    "EVALUATED_SESSIONS",
    "FEEDBACK_ALL",
    "FEEDBACK_OF",
    "FILES_OF",
    "FINISH_RUN",
    "KNOWN_KEYS",
    "LABELS_ALL",
    "LABELS_OF",
    "LABEL_QUEUES_ALL",
    "NOISE_OF",
    "OPINIONS_OF",
    "PUT_FEEDBACK",
    "PUT_FILE",
    "PUT_LABEL",
    "PUT_LABEL_QUEUE",
    "PUT_NOISE",
    "PUT_OPINION",
    "PUT_RUN",
    "PUT_RUN_PART",
    "PUT_SESSION",
    "RUNS_LATEST",
    "RUNS_OF_SUITES",
    "RUN_OF",
    "RUN_PARTS",
    "SESSIONS_ALL",
    "SESSIONS_OF",
    "START_RUN",
    "WITH_SAMPLES",
    "chunks",
    "session_status",
    "within",
]

CHUNK = 500
"""Values looked up by one query; SQLite before 3.32 takes at most 999 parameters."""

PUT_FILE = """
INSERT INTO files (content, readers, reader, sessions, skipped, unknown)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (content, readers) DO UPDATE SET
  reader = excluded.reader, sessions = excluded.sessions,
  skipped = excluded.skipped, unknown = excluded.unknown"""

FILES_OF = """
SELECT content, reader, sessions, skipped, unknown FROM files
WHERE readers = ? AND content IN (?*)"""

# Most sessions of a run are those of the run before: rows that say the same are not written.
PUT_SESSION = """
INSERT INTO sessions (suite, session_key, session_id, path, digest, profile_id, name,
  created_at, last_active, message_count, pinned, session)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (suite, session_key) DO UPDATE SET
  session_id = excluded.session_id, path = excluded.path, digest = excluded.digest,
  profile_id = excluded.profile_id, name = excluded.name, created_at = excluded.created_at,
  last_active = excluded.last_active, message_count = excluded.message_count,
  pinned = excluded.pinned, session = excluded.session
WHERE sessions.session <> excluded.session"""

SESSIONS_ALL = "SELECT suite, session_key, session FROM sessions"
SESSIONS_OF = "SELECT suite, session_key, session FROM sessions WHERE suite = ?"

PUT_OPINION = """
INSERT INTO evaluations (verdict_key, suite, session_key, session_id, digest, run_id, expert_id,
  repetition, rubric_version, judge_version, judge_model, judged_at, scores, opinion)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (verdict_key, suite, session_key) DO UPDATE SET
  session_id = excluded.session_id, digest = excluded.digest, run_id = excluded.run_id,
  expert_id = excluded.expert_id, repetition = excluded.repetition,
  rubric_version = excluded.rubric_version, judge_version = excluded.judge_version,
  judge_model = excluded.judge_model, judged_at = excluded.judged_at,
  scores = excluded.scores, opinion = excluded.opinion"""

OPINIONS_OF = "SELECT verdict_key, opinion FROM evaluations WHERE verdict_key IN (?*)"
KNOWN_KEYS = "SELECT DISTINCT verdict_key FROM evaluations WHERE verdict_key IN (?*)"
EVALUATED_SESSIONS = "SELECT DISTINCT session_key FROM evaluations WHERE suite = ?"

PUT_FEEDBACK = """
INSERT INTO feedback (session_id, message_index, rating, comment, rated_at)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (session_id, message_index) DO UPDATE SET
  rating = excluded.rating, comment = excluded.comment, rated_at = excluded.rated_at"""

FEEDBACK_ALL = "SELECT session_id, message_index, rating, comment, rated_at FROM feedback"
FEEDBACK_OF = """
SELECT session_id, message_index, rating, comment, rated_at FROM feedback
WHERE session_id IN (?*)"""

# A queue is named by the digest of its content: what is there already is the same.
PUT_LABEL_QUEUE = """
INSERT INTO label_queues (queue, suite, drawn_at, content) VALUES (?, ?, ?, ?)
ON CONFLICT (queue) DO NOTHING"""

LABEL_QUEUES_ALL = "SELECT queue, content, drawn_at FROM label_queues"

PUT_LABEL = """
INSERT INTO labels (digest, axis, annotator, queue, source, score, session_id, comment,
  labelled_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (digest, axis, annotator, queue) DO UPDATE SET
  source = excluded.source, score = excluded.score, session_id = excluded.session_id,
  comment = excluded.comment, labelled_at = excluded.labelled_at"""

LABELS_ALL = """
SELECT digest, axis, annotator, queue, source, score, session_id, comment, labelled_at
FROM labels"""
LABELS_OF = f"{LABELS_ALL} WHERE digest IN (?*)"

PUT_NOISE = """
INSERT INTO judge_noise (suite, rubric_version, judge_version, axis, sd, degrees, measured_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (suite, rubric_version, judge_version, axis) DO UPDATE SET
  sd = excluded.sd, degrees = excluded.degrees, measured_at = excluded.measured_at"""

NOISE_OF = """
SELECT axis, sd FROM judge_noise
WHERE suite = ? AND rubric_version = ? AND judge_version = ?"""

PUT_ADVICE = """
INSERT INTO advice (suite, digest, model, made_at, content) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (suite, digest, model) DO UPDATE SET
  made_at = excluded.made_at, content = excluded.content"""

ADVICE_OF = """
SELECT suite, digest, model, made_at, content FROM advice
WHERE suite = ? ORDER BY made_at DESC, digest, model"""

START_RUN = """
INSERT INTO runs (run_id, state, started_at) VALUES (?, 'running', ?)
ON CONFLICT (run_id) DO UPDATE SET state = 'running', finished_at = NULL"""

FINISH_RUN = """
INSERT INTO runs (run_id, state, started_at, finished_at, summary) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (run_id) DO UPDATE SET
  state = excluded.state, finished_at = excluded.finished_at, summary = excluded.summary"""

PUT_RUN = """
INSERT INTO runs (run_id, state, started_at, finished_at, summary) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (run_id) DO UPDATE SET
  state = excluded.state, started_at = excluded.started_at,
  finished_at = excluded.finished_at, summary = excluded.summary"""

PUT_RUN_PART = """
INSERT INTO run_parts (run_id, part, parts, suites, ended_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (run_id, part) DO UPDATE SET
  parts = excluded.parts, suites = excluded.suites, ended_at = excluded.ended_at"""

RUN_PARTS = "SELECT run_id, part, parts, suites, ended_at FROM run_parts WHERE run_id = ?"

_RUNS = "SELECT run_id, state, started_at, finished_at, summary FROM runs"
RUN_OF = f"{_RUNS} WHERE run_id = ?"
RUNS_LATEST = f"""{_RUNS}
ORDER BY started_at DESC, run_id DESC LIMIT ?"""

# In a JSON text the pattern stands for nothing but the key: quotes inside of strings are escaped.
RUNS_OF_SUITES = f"""{_RUNS}
WHERE summary NOT LIKE ? ORDER BY started_at DESC, run_id DESC LIMIT ?"""
WITH_SAMPLES = '%"samples":{%'


def chunks(values: Sequence[str], size: int = CHUNK) -> Iterator[tuple[str, ...]]:
    """Yield the distinct values in their order, at most ``size`` at a time."""
    distinct = tuple(dict.fromkeys(values))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def within(sql: str, count: int) -> str:
    """Return the query with ``(?*)`` spelled out as ``count`` parameters."""
    return sql.replace("(?*)", f"({', '.join('?' * count)})")


def session_status(
    expected: Collection[str], known: Collection[str], *, evaluated_before: bool
) -> SessionStatus:
    """Return one session's status.

    ``expected`` are the verdict keys of every expert and repeat under today's
    versions, ``known`` those of them that have an opinion; ``evaluated_before``
    says that the session has any evaluation at all. A session for which nothing
    is expected is never ``evaluated``: nobody has looked at it.
    """
    if expected and all(key in known for key in expected):
        return "evaluated"
    if evaluated_before or any(key in known for key in expected):
        return "stale"
    return "pending"
