-- task: A ledger of version 1 as a reader of version 2 sees it.
CREATE TEMP VIEW task AS SELECT *, 0 AS lone_deaths, 0.0 AS tried_at, '' AS death_seconds FROM main.task;

-- source: It knows no sources.
CREATE TEMP TABLE source (root BLOB PRIMARY KEY, prefix BLOB, seal INTEGER);

-- name: It keeps no names.
CREATE TEMP TABLE name (name BLOB PRIMARY KEY, owner BLOB, seal INTEGER);

-- toolset: It keeps no versions of libraries.
CREATE TEMP VIEW toolset AS SELECT 0 AS number, '' AS versions;
