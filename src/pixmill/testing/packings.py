"""The contract of dataset packings as tests: the same samples give the same bytes, and every member can be read back."""

from collections.abc import Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from random import Random

import pytest

from pixmill.batch.datasets.packing import Packing
from pixmill.batch.datasets.sample import Sample
from pixmill.batch.datasets.shard_file import atomic_shard_file
from pixmill.batch.item import OutputRecord
from pixmill.core.errors import ReadError

Packed = tuple[Sample, Sequence[bytes]]


def sample(number: int, *, size: int = 1000, renditions: Sequence[str] = ("",), folder: str = "a/b") -> Packed:
    """Return sample ``number`` and the contents of its members: noise that depends only on ``number``."""
    key = f"{folder}/photo {number:04}"
    contents = [Random(f"{number} {name}").randbytes(size + number) for name in renditions]  # noqa: S311  # noise
    names = [f"{key}.{name}.jpg" if name else f"{key}.jpg" for name in renditions]
    members = [
        OutputRecord(name.encode(), len(content), 40 + number, 30, "jpeg", blake2b(content, digest_size=16).digest(), rendition)
        for name, content, rendition in zip(names, contents, renditions, strict=True)
    ]
    return Sample(key.encode(), f"{key}.png".encode(), tuple(members)), contents


class PackingSuite:
    """The contract of ``Packing`` as tests. Subclass it and set ``packing``."""

    packing: type[Packing]

    def pack(self, folder: Path, samples: Sequence[Packed]) -> tuple[Path, list[Sequence[int]]]:
        """Write a shard; return its path and the positions of the members of each sample."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"000000{self.packing.suffix}"
        with atomic_shard_file(path) as sink, closing(self.packing.writer(sink.as_file)) as writer:
            positions = [writer.add(each, contents) for each, contents in samples]
        return path, positions

    @pytest.mark.parametrize("renditions", [("",), ("320", "640")], ids=["one rendition", "two renditions"])
    def test_every_member_can_be_read_at_its_position(self, tmp_path: Path, renditions: Sequence[str]) -> None:
        samples = [sample(number, renditions=renditions) for number in range(20)]
        path, positions = self.pack(tmp_path, samples)
        with closing(self.packing.reader(path)) as reader:
            for (_, contents), offsets in reversed(list(zip(samples, positions, strict=True))):
                assert [reader.read(offset, len(content)) for offset, content in zip(offsets, contents, strict=True)] == contents

    def test_the_same_samples_give_the_same_bytes(self, tmp_path: Path) -> None:
        samples = [sample(number) for number in range(20)]
        first, second = (self.pack(tmp_path / name, samples)[0].read_bytes() for name in ("first", "second"))
        assert first == second

    def test_a_single_changed_bit_changes_the_bytes(self, tmp_path: Path) -> None:
        first, contents = sample(0)
        changed = [bytes([contents[0][0] ^ 1]) + contents[0][1:]]
        paths = [self.pack(tmp_path / name, [(first, each)])[0] for name, each in (("before", contents), ("after", changed))]
        assert paths[0].read_bytes() != paths[1].read_bytes()

    def test_an_empty_shard_is_valid(self, tmp_path: Path) -> None:
        path, _ = self.pack(tmp_path, [])
        self.packing.reader(path).close()

    def test_names_that_are_not_text_are_preserved(self, tmp_path: Path) -> None:
        written, contents = sample(0)
        not_text = Sample(b"caf\xe9/\xff", b"caf\xe9/\xff.png", (written.members[0],))
        path, positions = self.pack(tmp_path, [(not_text, contents)])
        with closing(self.packing.reader(path)) as reader:
            assert reader.read(positions[0][0], len(contents[0])) == contents[0]

    def test_a_name_may_be_long(self, tmp_path: Path) -> None:
        for length in (90, 99, 100, 101, 255, 300):
            packed = sample(0, folder="d" * length)
            path, positions = self.pack(tmp_path / str(length), [packed])
            with closing(self.packing.reader(path)) as reader:
                assert reader.read(positions[0][0], len(packed[1][0])) == packed[1][0]

    def test_a_truncated_shard_is_not_read_as_if_it_were_complete(self, tmp_path: Path) -> None:
        packed = sample(0, size=5000)
        path, positions = self.pack(tmp_path, [packed])
        path.write_bytes(path.read_bytes()[:2000])
        with pytest.raises(ReadError), closing(self.packing.reader(path)) as reader:
            reader.read(positions[0][0], len(packed[1][0]))

    def test_a_missing_shard_is_an_error_with_its_name(self, tmp_path: Path) -> None:
        with pytest.raises(ReadError, match="nowhere"):
            self.packing.reader(tmp_path / "nowhere")
