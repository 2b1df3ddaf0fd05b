"""Whatever an archive or a list holds, it leads nowhere else and breaks nothing."""

import io
import os
import tarfile
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pixmill.batch.manifests.grouping import ManifestImage, chunks, record
from pixmill.batch.manifests.paths import PathMapper
from pixmill.batch.naming.namer import Namer
from pixmill.batch.naming.template import Template
from pixmill.core.errors import AddressError, ReadError
from pixmill.storage.address import relative
from pixmill.storage.archives.format import safe_name
from pixmill.storage.schemes.tar import TarStorage
from pixmill.storage.schemes.zip import ZipStorage

MIRROR = PathMapper(b"/srv/lists", ["file", "http", "https", "s3", "memory"])
PARTS = st.sampled_from([b"..", b".", b"", b"a", b"%2e%2e", b"%2F", b"%00", b"\xff", b"a.jpg", b"?", b"#", b"%", b"\xc3\xa4", b"~"])
PATHS = st.lists(PARTS, max_size=8).map(b"/".join)
TEXTS = st.one_of(
    st.binary(max_size=60),
    PATHS,
    st.builds(lambda scheme, rest: scheme + b"://" + rest, st.sampled_from([b"file", b"http", b"HTTPS", b"s3", b"x"]), PATHS),
    st.builds(
        lambda host, rest: b"https://" + host + b"/" + rest,
        st.sampled_from([b"h", b"..", b"[::1]:8", b"\xc3\xa4.de", b"a..b"]),
        PATHS,
    ),
)


@given(TEXTS)
@example(b"https://h/%2e%2e/%2e%2e/etc/passwd")
@example(b"/srv/lists/../../etc/passwd")
def test_nothing_that_a_list_names_leads_out_of_the_output(text):
    try:
        mirrored = MIRROR(text)
    except ReadError:
        return
    assert relative(mirrored.path) == mirrored.path
    assert mirrored.locator.startswith(b"\0")
    assert b"\0" not in mirrored.locator[1:] or mirrored.locator.startswith(b"\0s3:")
    if mirrored.locator.startswith(b"\0http"):
        assert mirrored.locator.isascii()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"a", b"A", b"b~2", b"a.jpg", b"d/a", b"d/A", b"a~0123456789abcdef"]),
            st.sampled_from([b"", b".jpg", b".PNG", b".jpg.png"]),
            st.integers(0, 2),
        ),
        max_size=30,
    )
)
def test_what_is_named_in_parts_is_named_as_if_all_of_it_were_named_at_once(rows):
    images = sorted(record(ManifestImage(stem + extension, b"\0%d" % number)) for stem, extension, number in rows)
    parts = list(chunks(images, on_invalid=print, size=1))
    namer = Namer(Template(), [("", lambda _: "jpg")])
    names = [name for part in parts for names in namer.names([image.path for image in part]).values() for name in names]
    assert (
        len({name.lower() for name in names}) == len(names) == len({(stem + extension, number) for stem, extension, number in rows})
    )


@given(st.binary(max_size=40))
def test_no_member_of_an_archive_leads_out_of_it(name):
    try:
        assert relative(safe_name(name)) == safe_name(name)
    except ReadError:
        return


def packed_tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("a.jpg", "deep/" * 30 + "b.jpg", "ä.jpg"):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = 700, 1.5
            archive.addfile(info, io.BytesIO(bytes(700)))
    return buffer.getvalue()[:8192]


def packed_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.jpg", "deep/b.jpg", "ä.jpg"):
            archive.writestr(name, os.urandom(20) * 20)
    return buffer.getvalue()


@pytest.mark.parametrize(("reader", "whole"), [(TarStorage, packed_tar()), (ZipStorage, packed_zip())], ids=["tar", "zip"])
@given(data=st.data())
def test_a_damaged_archive_is_read_as_far_as_it_goes(tmp_path_factory, reader, whole, data):
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from([0, 0xFF, 0x80, 0x30, 0x37, 0x01, 0x2F]))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        storage = reader(os.fsencode(path))
    except AddressError:
        return
    for listing in storage.list(on_error=lambda path, error: None):  # noqa: ARG005  # it is damaged
        for entry in listing:
            try:
                assert len(storage.read(entry.locator, limit=10_000)) <= 10_000
            except ReadError:
                continue
