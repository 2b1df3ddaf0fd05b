-- suspect: Count the death of a run for a task that was at work, which is in flight until ``interrupt``.
UPDATE task SET interruptions = interruptions + 1, lone_deaths = lone_deaths + ?, tried_at = ?,
death_seconds = trim(death_seconds || ' ' || ?) WHERE state = 1 AND id = ?;

-- interrupt: Make tasks pending that a dead run left in flight; the attempt that died with it is not counted.
UPDATE task SET state = 0, attempts = attempts - 1 WHERE state = 1;

-- begin: Open a run.
INSERT INTO run (started_at, about) VALUES (?, ?);

-- get: Return the rows of some keys; ``several`` puts in one parameter for each.
SELECT key, id, state, attempts, interruptions, outcome, seconds, finished_at, seal, lone_deaths, tried_at, death_seconds FROM task WHERE key IN (?);

-- get_within: Return the first rows from one key to another, both included.
SELECT key, id, state, attempts, interruptions, outcome, seconds, finished_at, seal, lone_deaths, tried_at, death_seconds FROM task
WHERE key >= ? AND key <= ? ORDER BY key LIMIT ?;

-- start: Count an attempt that is about to start; the result of an earlier version is kept, a failure is not.
UPDATE task SET state = 1, attempts = attempts + 1, outcome = CASE state WHEN 3 THEN x'' ELSE outcome END, seconds = 0, finished_at = 0
WHERE key = ? AND id = ?;

-- release: Do not count an attempt that never ran.
UPDATE task SET state = 0, attempts = attempts - 1 WHERE key = ? AND id = ? AND state = 1;

-- finish: Record how a task ended; a task that ends is no suspect.
UPDATE task SET state = ?, outcome = ?, seconds = ?, finished_at = ?, seal = ?,
interruptions = 0, lone_deaths = 0, tried_at = 0, death_seconds = '' WHERE key = ? AND id = ?;

-- end: Close a run.
UPDATE run SET ended_at = ?, reason = ?, done = ?, skipped = ?, failed = ?, pending = ? WHERE number = ?;

-- counts: Return the number of tasks in each state.
SELECT state, count(*) FROM task GROUP BY state;

-- records: Return the next rows after a key whose state lies in a range.
SELECT key, id, state, attempts, interruptions, outcome, seconds, finished_at, seal, lone_deaths, tried_at, death_seconds FROM task
WHERE key > ? AND state BETWEEN ? AND ? ORDER BY key LIMIT 1000;

-- all: Return every row.
SELECT key, id, state, attempts, interruptions, outcome, seconds, finished_at, seal, lone_deaths, tried_at, death_seconds FROM task ORDER BY key;

-- failures: Return the next failed rows after a key; the literal state lets SQLite use the index.
SELECT key, id, state, attempts, interruptions, outcome, seconds, finished_at, seal, lone_deaths, tried_at, death_seconds FROM task
WHERE key > ? AND state = 3 ORDER BY key LIMIT 1000;

-- runs: Return the runs, oldest first.
SELECT number, started_at, ended_at, reason, done, skipped, failed, pending, about FROM run ORDER BY number;

-- import: Insert or replace a complete row: a fresh one, or one from another ledger.
INSERT OR REPLACE INTO task (key, id, state, attempts, interruptions, outcome, seconds, finished_at, seal,
lone_deaths, tried_at, death_seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- delete: Remove a key.
DELETE FROM task WHERE key = ?;

-- claim: Note that a task owns a name, unless another one does.
INSERT OR IGNORE INTO name (name, owner, seal) VALUES (?, ?, ?);

-- disown: Free a name.
DELETE FROM name WHERE name = ?;

-- owners: Return the names in a range, with their owners.
SELECT name, owner, seal FROM name WHERE name >= ? AND name < ? ORDER BY name LIMIT 1000;

-- owners_within: Return the first names from one to another, both included, with their owners.
SELECT name, owner, seal FROM name WHERE name >= ? AND name <= ? ORDER BY name LIMIT ?;

-- owners_of: Return those of some names that have owners; ``several`` puts in one parameter for each.
SELECT name, owner, seal FROM name WHERE name IN (?);

-- present: Return those of some keys that have rows.
SELECT key FROM task WHERE key IN (?);

-- sources: Return the prefix of each source.
SELECT root, prefix, seal FROM source ORDER BY prefix, root;

-- add_source: Note the prefix of a source.
INSERT OR REPLACE INTO source (root, prefix, seal) VALUES (?, ?, ?);

-- toolsets: Return the sets of libraries that made results.
SELECT number, versions FROM toolset ORDER BY number;

-- add_toolset: Note a set of libraries.
INSERT INTO toolset (number, versions) VALUES (?, ?);
