-- shards: Return every shard.
SELECT id, name, state, fingerprint, size, samples, digest FROM shard ORDER BY name, id;

-- changing: Return the shards of a switch that is not complete.
SELECT id, name, state, fingerprint, size, samples, digest FROM shard WHERE state IN (1, 3) ORDER BY name, id;

-- find: Return the locations of an output, newest first.
SELECT shard, source, position, size, digest FROM member WHERE name = ? ORDER BY shard DESC;

-- add: Add a complete shard.
INSERT INTO shard (name, state, fingerprint, size, samples, digest) VALUES (?, ?, ?, ?, ?, ?);

-- place: Add an output of a shard.
INSERT INTO member (name, shard, source, position, size, digest) VALUES (?, ?, ?, ?, ?, ?);

-- decide: Give a shard a state.
UPDATE shard SET state = ? WHERE id = ?;

-- unseal: Return the shards that were to be sealed to the staged state.
UPDATE shard SET state = 0 WHERE state = 1;

-- stay: Return the shards that were to be replaced to the sealed state.
UPDATE shard SET state = 2 WHERE state = 3;

-- seal: Mark the shards that were to be sealed as sealed.
UPDATE shard SET state = 2 WHERE state = 1;

-- part: Delete the outputs of the replaced shards.
DELETE FROM member WHERE shard IN (SELECT id FROM shard WHERE state = 3);

-- leave: Delete the replaced shards.
DELETE FROM shard WHERE state = 3;

-- empty: Delete the outputs of one shard.
DELETE FROM member WHERE shard = ?;

-- void: Clear the fingerprint of one shard: its file is ours, but its contents are not trusted.
UPDATE shard SET fingerprint = x'' WHERE id = ?;

-- drop: Delete one shard.
DELETE FROM shard WHERE id = ?;
