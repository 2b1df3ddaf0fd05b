-- interrupt: Make pending what a dead run left in flight; the try that died with it is not counted.
UPDATE task SET state = 0, attempts = attempts - 1, interruptions = interruptions + 1 WHERE state = 1;

-- begin: Open a run.
INSERT INTO run (started_at, about) VALUES (?, ?);

-- recall: Return what is known of one key.
SELECT key, id, state, attempts, interruptions, outcome, seconds, finished_at, seal FROM task WHERE key = ?;

-- renew: Make a key new, or new again, under an id.
INSERT OR REPLACE INTO task (key, id) VALUES (?, ?);

-- start: Count a try that is about to begin.
UPDATE task SET state = 1, attempts = attempts + 1, outcome = x'', seconds = 0, finished_at = 0 WHERE key = ? AND id = ?;

-- release: Take back a try that never ran.
UPDATE task SET state = 0, attempts = attempts - 1 WHERE key = ? AND id = ? AND state = 1;

-- finish: Record how a task ended.
UPDATE task SET state = ?, outcome = ?, seconds = ?, finished_at = ?, seal = ? WHERE key = ? AND id = ?;

-- end: Close a run.
UPDATE run SET ended_at = ?, reason = ?, done = ?, skipped = ?, failed = ?, pending = ? WHERE number = ?;

-- counts: Return the number of tasks in each state.
SELECT state, count(*) FROM task GROUP BY state;

-- records: Return the next rows after a key whose state lies between two.
SELECT key, id, state, attempts, interruptions, outcome, seconds, finished_at, seal FROM task
WHERE key > ? AND state BETWEEN ? AND ? ORDER BY key LIMIT 1000;

-- failures: Return the next failed rows after a key; the literal state lets SQLite use the index.
SELECT key, id, state, attempts, interruptions, outcome, seconds, finished_at, seal FROM task
WHERE key > ? AND state = 3 ORDER BY key LIMIT 1000;

-- runs: Return the runs, oldest first.
SELECT number, started_at, ended_at, reason, done, skipped, failed, pending, about FROM run ORDER BY number;

-- adopt: Take over a row from another ledger.
INSERT OR REPLACE INTO task (key, id, state, attempts, interruptions, outcome, seconds, finished_at, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- forget: Make a key that is there new again, without an id.
UPDATE task SET id = x'', state = 0, attempts = 0, interruptions = 0, outcome = x'', seconds = 0, finished_at = 0 WHERE key = ?;

-- discard: Remove a key.
DELETE FROM task WHERE key = ?;
