from pixmill.storage.entry import Entry, FileVersion, LocatedEntry


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


def test_the_change_time_is_not_part_of_the_identity():
    entry = Entry(b"a.png", 5, b"1", 7)
    same, other = Entry(b"a.png", 5, b"1", 8), Entry(b"a.png", 5, b"2", 7)
    assert entry == same
    assert hash(entry) == hash(same)
    assert not entry != same  # noqa: SIM202  # the operator is the one to test
    assert entry != other
    assert entry == LocatedEntry(b"a.png", 5, b"1", locator=b"\0x")
    assert entry != (b"a.png", 5, b"1")
