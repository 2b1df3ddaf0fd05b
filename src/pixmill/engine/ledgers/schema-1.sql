-- task: One row a key. state: 0 pending, 1 in flight (pending, and a try of it is running), 2 done, 3 failed.
-- outcome: the result when done, the failure (msgpack) when failed.
-- seal: CRC-32 of key, id and outcome of a finished row, so that damage is not taken for work that was done.
-- STRICT and CHECK let quick_check find values that were overwritten.
CREATE TABLE task (
    key BLOB PRIMARY KEY,
    id BLOB NOT NULL,
    state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
    attempts INTEGER NOT NULL DEFAULT 0,
    interruptions INTEGER NOT NULL DEFAULT 0,
    outcome BLOB NOT NULL DEFAULT x'',
    seconds REAL NOT NULL DEFAULT 0,
    finished_at REAL NOT NULL DEFAULT 0,
    seal INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- in_flight: What a dead run left, found without reading a hundred million rows.
CREATE INDEX in_flight ON task (key) WHERE state = 1;

-- failed: The failures, found likewise.
CREATE INDEX failed ON task (key) WHERE state = 3;

-- run: One row a run; ended_at stays 0 when it was killed.
CREATE TABLE run (
    number INTEGER PRIMARY KEY,
    started_at REAL NOT NULL,
    ended_at REAL NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0,
    about BLOB NOT NULL DEFAULT x''
) STRICT;
