-- shard: One row a shard. state: 0 staged, 1 about to be sealed, 2 sealed, 3 about to go.
-- digest: BLAKE2b-128 of the file. fingerprint: of the samples in it; empty when the file is not what was sealed.
CREATE TABLE shard (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
    fingerprint BLOB NOT NULL,
    size INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;

-- member: One row for each output in a shard. While shards take the place of others, an output may be in an old and a new one.
CREATE TABLE member (
    name BLOB NOT NULL,
    shard INTEGER NOT NULL REFERENCES shard (id),
    source BLOB NOT NULL,
    position INTEGER NOT NULL,
    size INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (name, shard)
) STRICT, WITHOUT ROWID;
