from pixmill.storage.entry import FileVersion


def test_a_version_without_an_inode_is_recognised_by_the_rest():
    now = FileVersion(5, 1_000, 77)
    assert now.matches(FileVersion(5, 1_000, 77))
    assert now.matches(FileVersion(5, 1_000))
    assert not now.matches(FileVersion(5, 1_000, 78))
    assert not now.matches(FileVersion(5, 1_001))
    assert not now.matches(FileVersion(6, 1_000))
    assert not now.matches(FileVersion(5))


def test_the_evidence_has_only_what_is_known():
    assert FileVersion(0).evidence() == {"size": 0}
    assert FileVersion(5, 1_000, 77).evidence() == {"size": 5, "mtime_ns": 1_000, "inode": 77}
    assert FileVersion(5, etag=b"abc").evidence() == {"size": 5, "etag": "abc"}
