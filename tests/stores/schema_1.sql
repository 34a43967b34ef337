-- A store of schema version 1, as sqlite3 dumps it. Released: never edited.
BEGIN TRANSACTION;
CREATE TABLE evaluations (
  verdict_key TEXT NOT NULL,
  suite TEXT NOT NULL,
  session_key TEXT NOT NULL,
  session_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  run_id TEXT NOT NULL,
  expert_id TEXT NOT NULL,
  repetition INTEGER NOT NULL,
  rubric_version TEXT NOT NULL,
  judge_version TEXT NOT NULL,
  judge_model TEXT NOT NULL,
  judged_at TEXT NOT NULL,
  scores TEXT NOT NULL,
  opinion TEXT NOT NULL,
  PRIMARY KEY (verdict_key, suite, session_key)
);
INSERT INTO "evaluations" VALUES('key-1','airline','task-1','task-1-id','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','20260102-030405-abcdef','tools',1,'agent@3#ba9876543210','agent@3#0123456789ab','gpt-5-mini-2025-08-07','2026-01-02T03:04:05.000006Z','{"tool_usage_quality": 60, "goal_completion": null}','{"key":"key-1","expert_id":"tools","repeat":1,"axes":{"tool_usage_quality":{"kind":"scored","score":60,"comment":"One call failed twice.","evidence":[{"message":4,"quote":"no such order","polarity":"negative","agent_id":"a1","verified":true,"note":""}],"failure_tag":"repeated_error"},"goal_completion":{"kind":"unscored","reason":"unsupported","detail":"Write an expectation.","evidence":[]}},"comment":"Ünclear – and “quoted”","judge_model":"gpt-5-mini-2025-08-07","judge_version":"agent@3#0123456789ab","rubric_version":"agent@3#ba9876543210","judged_at":"2026-01-02T03:04:05.000006Z","spent":{"calls":2,"retries":1,"repairs":0,"input_tokens":4000,"output_tokens":300,"cached_tokens":0},"sent":{"temperature":0.5,"seed":7,"strict":true,"stop":null},"coverage":0.75}');
CREATE TABLE feedback (
  session_id TEXT NOT NULL,
  message_index BIGINT NOT NULL,
  rating INTEGER NOT NULL,
  comment TEXT NOT NULL,
  rated_at TEXT,
  PRIMARY KEY (session_id, message_index)
);
INSERT INTO "feedback" VALUES('task-1-id',2,-1,'No','2026-01-02T03:04:05.000006Z');
CREATE TABLE files (
  content TEXT NOT NULL,
  readers TEXT NOT NULL,
  reader TEXT,
  sessions TEXT NOT NULL,
  skipped TEXT NOT NULL,
  unknown TEXT NOT NULL,
  PRIMARY KEY (content, readers)
);
INSERT INTO "files" VALUES('cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','readers-1','tau-bench','[{"session_id":"one","locator":"0","source":"tau-bench","digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","task_id":"1","trial":0,"agent_model":"gpt-4o","profile_id":"airline","name":"Cancel a flight","created_at":"2026-01-02T03:04:05.000006Z","last_active":"2026-01-02T03:09:05.000006Z","message_count":3,"subsession_count":1,"tool_call_count":2,"prefix_digests":"0a0b0c","outcome":{"kind":"reward","value":1.0,"detail":null},"metadata":{"split":"test","turns":3,"share":0.5,"solo":false,"note":null}},{"session_id":"two","locator":"0","source":"tau-bench","digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","task_id":"1","trial":0,"agent_model":"gpt-4o","profile_id":"airline","name":"Cancel a flight","created_at":"2026-01-02T03:04:05.000006Z","last_active":"2026-01-02T03:09:05.000006Z","message_count":3,"subsession_count":1,"tool_call_count":2,"prefix_digests":"0a0b0c","outcome":{"kind":"reward","value":1.0,"detail":null},"metadata":{"split":"test","turns":3,"share":0.5,"solo":false,"note":null}}]','{"not JSON": 1}','{"queue-operation": 2}');
CREATE TABLE jobs (
  job_id TEXT NOT NULL PRIMARY KEY,
  session_id TEXT,
  run_id TEXT,
  state TEXT NOT NULL,
  created_at TEXT NOT NULL,
  finished_at TEXT,
  request TEXT NOT NULL,
  result TEXT,
  error TEXT
);
CREATE TABLE migrations (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at TEXT NOT NULL
);
INSERT INTO "migrations" VALUES(1,'first tables','2026-01-02 03:04:05');
CREATE TABLE runs (
  run_id TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  summary TEXT
);
INSERT INTO "runs" VALUES('20260102-030405-abcdef','done','2026-01-02T03:04:05.000006Z','2026-01-02T03:05:05.000006Z','{"suites":[{"suite":"airline","sessions":3,"states":{"below_threshold":1,"not_run":1,"passed":1},"means":[{"axis":"tool_usage_quality","mean":60.0,"minimum":40.0,"scored":2,"sessions":3,"unscored":{},"unjudged":1},{"axis":"goal_completion","mean":null,"minimum":null,"scored":0,"sessions":3,"unscored":{"unsupported":2},"unjudged":1}],"rubric_version":"agent@3#ba9876543210","judge_model":"evidence","judge_version":"evidence@1#0123456789ab","judged":1,"from_store":1,"spent":{"calls":3,"retries":0,"repairs":0,"input_tokens":0,"output_tokens":0,"cached_tokens":0}}],"partial":"-k cancel"}');
CREATE TABLE sessions (
  suite TEXT NOT NULL,
  session_key TEXT NOT NULL,
  session_id TEXT NOT NULL,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  profile_id TEXT,
  name TEXT,
  created_at TEXT,
  last_active TEXT,
  message_count BIGINT NOT NULL,
  session TEXT NOT NULL,
  PRIMARY KEY (suite, session_key)
);
INSERT INTO "sessions" VALUES('airline','task-1','task-1-id','transcripts/task-1.json','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','airline','Cancel a flight','2026-01-02T03:04:05.000006Z','2026-01-02T03:09:05.000006Z',3,'{"suite":"airline","key":"task-1","cluster":"1","path":"transcripts/task-1.json","summary":{"session_id":"task-1-id","locator":"0","source":"tau-bench","digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","task_id":"1","trial":0,"agent_model":"gpt-4o","profile_id":"airline","name":"Cancel a flight","created_at":"2026-01-02T03:04:05.000006Z","last_active":"2026-01-02T03:09:05.000006Z","message_count":3,"subsession_count":1,"tool_call_count":2,"prefix_digests":"0a0b0c","outcome":{"kind":"reward","value":1.0,"detail":null},"metadata":{"split":"test","turns":3,"share":0.5,"solo":false,"note":null}}}');
CREATE INDEX evaluations_by_session ON evaluations (suite, session_key);
COMMIT;
