"""Pictures that take most memory for their bytes: what is estimated of each from its header is what it takes at most."""

import pytest
from PIL import Image

from pixmill.engine.resources.memory import IDLE_WORKER, OVERHEAD
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.decode_plan import plan_decode
from pixmill.imaging.pipeline.identify import read_header
from support.fault_run import COMMAND, DONE, MISUSED, SOME_FAILED
from support.frugal_pictures import KINDS
from support.invariants import counts, outputs
from support.processes import peaks_of

pytestmark = pytest.mark.row("R7")
QUICK = ("AVIF", "PNG of 16 bits with alpha, flat", "TIFF in tiles, flat")
FEW, MOST = 12_000_000, 99_000_000  # pixels


CASES = [pytest.param(kind, FEW, id=kind) for kind in QUICK] + [
    pytest.param(kind, MOST, id=f"{kind}, 99 megapixels", marks=[pytest.mark.long, pytest.mark.timeout(400)]) for kind in KINDS
]


@pytest.mark.parametrize(("name", "pixels"), CASES)
def test_the_peak_of_a_picture_is_below_its_estimate(tmp_path, request, name, pixels):
    kind = KINDS[name]
    try:
        data = kind.make(pixels)
    except (ImportError, KeyError, OSError) as error:
        pytest.skip(f"nothing here writes it: {error}")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "picture").write_bytes(data)
    estimate = plan_decode(Input(data), read_header(Input(data), kind.recipe), kind.recipe).memory + len(data)
    allowed = estimate + OVERHEAD
    options = ("--all-files", "--workers", "1", "--memory", str(allowed), *kind.words)
    code, errors, together, largest = peaks_of((*COMMAND, "run", tmp_path / "in", tmp_path / "out", *options))
    assert code == DONE, errors
    assert len(outputs(tmp_path / "out")) == 1
    assert together <= allowed
    assert largest - IDLE_WORKER <= estimate
    request.node.user_properties.append(("faults", {"injected": 1, "images": 1, "lost": 0}))
    if pixels == MOST:
        figure = f"peak memory in MB of 99 megapixels in {len(data):,} bytes, {name}, allowed {allowed // 1_000_000:,}"
        request.node.user_properties.append(("figure", (figure, together // 1_000_000)))


def test_a_list_with_an_endless_cell_takes_no_memory_for_it(tmp_path, request):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    with (tmp_path / "list.csv").open("w") as file:
        file.write("path,caption\na.png,fine\na.png,")
        file.writelines("x" * 1_000_000 for _ in range(300))
        file.write("\n./a.png,fine\n")
    command = (*COMMAND, "run", tmp_path / "list.csv", tmp_path / "out", "--workers", "1", "--memory", "500MB")
    code, errors, together, _ = peaks_of(command)
    assert code == SOME_FAILED, errors
    assert counts(tmp_path / "out").done == 1
    assert together < 250_000_000
    request.node.user_properties.append(("faults", {"injected": 1, "images": 2, "lost": 0}))


def test_a_parquet_list_with_an_endless_cell_is_refused_and_takes_no_memory_for_it(tmp_path, request):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"path": ["a.png", "b.png"], "caption": ["x" * 300_000_000, "fine"]})
    parquet.write_table(table, tmp_path / "list.parquet", compression="zstd", use_dictionary=False)
    assert (tmp_path / "list.parquet").stat().st_size < 1_000_000
    command = (*COMMAND, "run", tmp_path / "list.parquet", tmp_path / "out", "--workers", "1", "--memory", "500MB")
    code, errors, together, _ = peaks_of(command)
    assert code == MISUSED, errors
    assert "a cell may have 131,072" in errors
    assert together < 250_000_000
    request.node.user_properties.append(("faults", {"injected": 1, "images": 0, "lost": 0}))


def test_a_parquet_list_whose_rows_share_a_long_value_holds_it_once(tmp_path, request):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    rows = 5_000
    shared = pyarrow.DictionaryArray.from_arrays(pyarrow.array([1] + [0] * rows, pyarrow.int32()), ["x" * 1_000_000, "fine"])
    table = pyarrow.table({"path": ["a.png"] * (rows + 1), "caption": shared})
    parquet.write_table(table, tmp_path / "list.parquet", compression="zstd", store_schema=False)
    assert (tmp_path / "list.parquet").stat().st_size < 10_000
    command = (*COMMAND, "run", tmp_path / "list.parquet", tmp_path / "out", "--workers", "1", "--memory", "500MB")
    code, errors, together, _ = peaks_of((*command, "--max-failures", "100%"))
    assert code == SOME_FAILED, errors
    assert counts(tmp_path / "out").done == 1
    assert together < 350_000_000
    request.node.user_properties.append(("faults", {"injected": 1, "images": 1, "lost": 0}))
