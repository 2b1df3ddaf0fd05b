-- task_lone_deaths: The runs that died while the task ran alone: no neighbour can have killed them.
ALTER TABLE task ADD COLUMN lone_deaths INTEGER NOT NULL DEFAULT 0;

-- task_tried_at: When the last attempt began that died with its run, in seconds since the epoch.
ALTER TABLE task ADD COLUMN tried_at REAL NOT NULL DEFAULT 0;

-- task_death_seconds: For each run that died while the task was at work, the seconds that the task had, separated by spaces.
ALTER TABLE task ADD COLUMN death_seconds TEXT NOT NULL DEFAULT '';

-- source: One row a source. root: its folder, bucket or archive. prefix: what the keys of its tasks begin with, so that those of
-- several sources differ; empty for the first. seal: CRC-32 of both, so that damage is not taken for a source.
CREATE TABLE source (
    root BLOB PRIMARY KEY,
    prefix BLOB NOT NULL,
    seal INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- name: One row a name that belongs to a task, such as that of an output; no other task may use it. A row precedes its file.
-- seal: CRC-32 of both, as above.
CREATE TABLE name (
    name BLOB PRIMARY KEY,
    owner BLOB NOT NULL,
    seal INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- toolset: One row for each set of libraries that made results, which refer to it by its number.
CREATE TABLE toolset (
    number INTEGER PRIMARY KEY,
    versions TEXT NOT NULL UNIQUE
) STRICT;
