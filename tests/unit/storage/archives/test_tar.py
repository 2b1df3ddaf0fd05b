"""What a tar file may hold, and what becomes of each kind of member."""

import gzip
import io
import os
import tarfile

import pytest

from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.storage.open import open_storage
from pixmill.storage.schemes.tar import TarStorage


@pytest.fixture
def path(tmp_path):
    return tmp_path / "photos.tar"


def member(name, data=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mtime = 1_700_000_000
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, data


def pack(path, *members, form=tarfile.GNU_FORMAT):
    with tarfile.open(path, "w", format=form) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return TarStorage(os.fsencode(path))


def listed(storage, **options):
    return [entry.path for listing in storage.list(**options) for entry in listing]


def refused(storage):
    found = {}
    paths = listed(storage, on_error=lambda path, error: found.update({path: error}))
    return paths, found


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_tar_gives_the_same(path, form):
    names = ["b/2.jpg", "a.jpg", "b/1.jpg", "b/" + "long" * 20 + "/" + "name" * 15 + ".jpg"]
    storage = pack(path, *(member(name, name.encode()) for name in names), form=form)
    assert listed(storage) == [b"a.jpg", b"b/1.jpg", b"b/2.jpg", names[3].encode()]
    for listing in storage.list():
        for entry in listing:
            assert storage.read(entry.locator, limit=1000) == storage.read(entry.path, limit=1000) == entry.path
            assert storage.head(entry.locator, 3) == entry.path[:3]
            assert entry.version == b"1700000000000000000"


def test_names_longer_than_every_field_are_complete(path):
    names = ["deep/" * 60 + "x" * 200 + ".jpg", "ümläut/é.jpg"]
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        storage = pack(path, *(member(name, b"1") for name in names), form=form)
        assert sorted(listed(storage)) == sorted(name.encode() for name in names)


def test_what_the_command_tar_makes_of_a_folder_is_read(path, tmp_path):
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"a")
    (folder / "deep" / "b.jpg").write_bytes(b"b")
    (folder / "link.jpg").symlink_to("a.jpg")
    os.mkfifo(folder / "pipe.jpg")
    with tarfile.open(path, "w") as archive:
        archive.add(folder, ".")
    assert listed(TarStorage(os.fsencode(path))) == [b"a.jpg", b"deep/b.jpg"]


def test_of_members_with_one_name_the_last_is_taken(path):
    storage = pack(path, member("a.jpg", b"old"), member("b.jpg", b"b"), member("a.jpg", b"newer"))
    assert listed(storage) == [b"a.jpg", b"b.jpg"]
    (listing,) = storage.list()
    assert storage.read(listing[0].locator, limit=10) == storage.read(b"a.jpg", limit=10) == b"newer"


def test_a_hard_link_is_what_it_links_to(path):
    link = member("b.jpg", type=tarfile.LNKTYPE, linkname="./a.jpg")
    storage = pack(path, link, member("./a.jpg", b"data"))
    (listing,) = storage.list()
    assert [storage.read(entry.locator, limit=10) for entry in listing] == [b"data", b"data"]
    assert storage.read(b"b.jpg", limit=10) == b"data"


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (member("/etc/a.jpg", b"x"), "leads out"),
        (member("../a.jpg", b"x"), "leads out"),
        (member("a/../../b.jpg", b"x"), "leads out"),
        (member("b.jpg", type=tarfile.LNKTYPE, linkname="gone.jpg"), "which is not in the archive"),
        (member("b.jpg", type=tarfile.LNKTYPE, linkname="../gone.jpg"), "leads out"),
        (member("s.jpg", b"", pax_headers={"GNU.sparse.major": "1"}), "sparse"),
        (member("s.jpg", b"", type=tarfile.GNUTYPE_SPARSE), "sparse"),
    ],
)
def test_what_cannot_be_taken_is_named_and_the_rest_goes_on(path, info, why):
    form = tarfile.PAX_FORMAT if info[0].pax_headers else tarfile.GNU_FORMAT
    paths, errors = refused(pack(path, member("a.jpg", b"1"), info, member("z.jpg", b"2"), form=form))
    assert paths == [b"a.jpg", b"z.jpg"]
    (error,) = errors.values()
    assert why in error.message
    assert error.code == "archive-member"


def test_links_that_lead_to_each_other_end(path):
    first = member("a.jpg", type=tarfile.LNKTYPE, linkname="b.jpg")
    second = member("b.jpg", type=tarfile.LNKTYPE, linkname="a.jpg")
    _, errors = refused(pack(path, first, second))
    assert len(errors) == 2


def test_a_member_that_is_larger_than_the_limit_is_refused_before_it_is_read(path):
    storage = pack(path, member("a.jpg", b"12345"))
    with pytest.raises(ReadError) as raised:
        storage.read(b"a.jpg", limit=4)
    assert raised.value.code == "limit-bytes"


def test_a_size_that_the_archive_cannot_hold_is_seen(path):
    info, _ = member("a.jpg")
    info.size = 1 << 50
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"short")
    _, errors = refused(TarStorage(os.fsencode(path)))
    assert "truncated" in errors[b"a.jpg"].message


def test_a_truncated_archive_gives_complete_members_and_names_the_others(path):
    pack(path, member("a.jpg", b"a" * 600), member("b.jpg", b"b" * 600))
    path.write_bytes(path.read_bytes()[: 512 + 1024 + 512 + 100])
    paths, errors = refused(TarStorage(os.fsencode(path)))
    assert paths == [b"a.jpg"]
    assert list(errors) == [b"b.jpg"]


def test_a_damaged_header_says_that_the_rest_cannot_be_found(path):
    pack(path, member("a.jpg", b"a"), member("b.jpg", b"b"), member("c.jpg", b"c"))
    data = bytearray(path.read_bytes())
    data[1024 + 5] ^= 0xFF
    path.write_bytes(data)
    paths, errors = refused(TarStorage(os.fsencode(path)))
    assert paths == [b"a.jpg"]
    assert errors[b""].code == "archive-damaged"
    assert "byte 1,024" in errors[b""].message


def test_an_archive_that_is_compressed_as_a_whole_is_refused_with_the_way_out(path):
    pack(path, member("a.jpg", b"a"))
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(AddressError, match="compressed with gzip as a whole") as raised:
        TarStorage(os.fsencode(path))
    assert raised.value.hint.startswith("gunzip ")


@pytest.mark.parametrize("content", [b"x" * 2000, b"x", b"\xff" * 600])
def test_what_is_no_tar_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(AddressError, match="not a tar file"):
        TarStorage(os.fsencode(path))


def test_what_is_not_there_is_refused(path):
    with pytest.raises(AddressError, match="cannot be opened"):
        TarStorage(os.fsencode(path))


def test_a_replaced_archive_is_not_read_with_the_locators_of_the_old_one(path):
    (listing,) = pack(path, member("a.jpg", b"a")).list()
    pack(path, member("other.jpg", b"longer" * 1000), member("a.jpg", b"a"))
    os.utime(path, (1, 1))  # the clock of files may stand still for some milliseconds
    with pytest.raises(ReadError) as raised:
        TarStorage(os.fsencode(path)).read(listing[0].locator, limit=100)
    assert raised.value.code == "read-changed"


def test_a_member_without_a_time_of_its_own_has_that_of_the_archive(path):
    pack(path, member("a.jpg", b"a", mtime=0))
    os.utime(path, ns=(5, 1_234_567_891))
    assert TarStorage(os.fsencode(path)).stat(b"a.jpg").version == b"1234567891"


def test_nothing_is_written_into_an_archive(path):
    storage = pack(path, member("a.jpg", b"a"))
    before = path.read_bytes()
    for call in (lambda: storage.write(b"b", b"", durable=False), lambda: storage.delete(b"a.jpg")):
        with pytest.raises(RunError) as raised:
            call()
        assert raised.value.code == "read-only"
    assert storage.remove_temporaries() == 0
    assert path.read_bytes() == before


def test_an_address_leads_to_any_path(tmp_path):
    odd = tmp_path / "a b%.tar"
    pack(odd, member("a.jpg", b"a"))
    quoted = str(odd).replace("%", "%25").replace(" ", "%20")
    assert listed(open_storage(f"tar://{quoted}")) == [b"a.jpg"]
