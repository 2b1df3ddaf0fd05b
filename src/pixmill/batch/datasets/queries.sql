-- shards: Return every shard.
SELECT id, name, state, fingerprint, size, samples, digest FROM shard ORDER BY name, id;

-- changing: Return the shards that are on their way.
SELECT id, name, state, fingerprint, size, samples, digest FROM shard WHERE state IN (1, 3) ORDER BY name, id;

-- find: Return where an output is, the newest first.
SELECT shard, source, position, size, digest FROM member WHERE name = ? ORDER BY shard DESC;

-- add: Add a shard that is whole.
INSERT INTO shard (name, state, fingerprint, size, samples, digest) VALUES (?, ?, ?, ?, ?, ?);

-- place: Add an output of a shard.
INSERT INTO member (name, shard, source, position, size, digest) VALUES (?, ?, ?, ?, ?, ?);

-- decide: Give a shard a state.
UPDATE shard SET state = ? WHERE id = ?;

-- unseal: What was about to be sealed waits again.
UPDATE shard SET state = 0 WHERE state = 1;

-- stay: What was about to go stays.
UPDATE shard SET state = 2 WHERE state = 3;

-- seal: What was about to be sealed has been.
UPDATE shard SET state = 2 WHERE state = 1;

-- part: Forget the outputs of the shards that were about to go.
DELETE FROM member WHERE shard IN (SELECT id FROM shard WHERE state = 3);

-- leave: Forget the shards that were about to go.
DELETE FROM shard WHERE state = 3;

-- empty: Forget the outputs of one shard.
DELETE FROM member WHERE shard = ?;

-- void: Believe nothing of one shard any more but that its file is ours.
UPDATE shard SET fingerprint = x'' WHERE id = ?;

-- drop: Forget one shard.
DELETE FROM shard WHERE id = ?;
