"""The progress of a run in a notebook."""

import json
import sys

import pytest
from PIL import Image

from pixmill.api.progress import NotebookProgress
from pixmill.batch.progress.progress import ProgressSnapshot

CELL = """
import pixmill
report = pixmill.run("photos", "out", workers=1, progress=True)
print(report.counts.done)
"""


class Page:
    """The outputs of a cell: ``display`` has the contract of ``IPython.display.display``."""

    def __init__(self):
        self.outputs = []

    def display(self, data, *, raw, display_id=False):
        assert raw
        self.outputs.append(data)
        return Handle(self, len(self.outputs) - 1) if display_id else None


class Handle:
    def __init__(self, page, index):
        self._page, self._index = page, index

    def update(self, data, *, raw):
        assert raw
        self._page.outputs[self._index] = data


def test_a_notebook_shows_one_output_that_is_updated():
    page = Page()
    progress = NotebookProgress(page.display)
    for done in (1, 2):
        progress.show(ProgressSnapshot(done=done, found=4, total=4, elapsed=1.0))
    assert len(page.outputs) == 1
    assert page.outputs[0]["text/plain"].startswith("[IN PROGRESS] 2/4 (50.0%)")
    assert 'value="0.500"' in page.outputs[0]["text/html"]
    progress.finish(ProgressSnapshot(done=4, found=4, total=4, elapsed=2.0))
    assert page.outputs[0]["text/plain"].startswith("[DONE] 4/4 (100.0%) | 2.0 img/s")


def test_there_is_no_bar_before_the_total_is_known_and_a_message_is_escaped():
    page = Page()
    progress = NotebookProgress(page.display)
    progress.show(ProgressSnapshot(done=1, found=4))
    progress.say("a <b>")
    assert "<progress" not in page.outputs[0]["text/html"]
    assert "a &lt;b&gt;" in page.outputs[1]["text/html"]


def test_a_run_that_is_interrupted_says_stopped():
    page = Page()
    NotebookProgress(page.display).finish(ProgressSnapshot(done=1, found=4, total=4))
    assert page.outputs[0]["text/plain"].startswith("[STOPPED] 1/4")


@pytest.mark.slow
def test_a_real_notebook_shows_the_progress_of_a_run(tmp_path):
    client = pytest.importorskip("nbclient", reason="no notebook is installed (pip install nbclient ipykernel)")
    format_ = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (60, 40)).save(tmp_path / "photos" / "a.jpg")
    notebook = format_.v4.new_notebook(cells=[format_.v4.new_code_cell(CELL)])
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "",
        "language": "python",
    }
    (tmp_path / "kernels" / "here").mkdir(parents=True)
    (tmp_path / "kernels" / "here" / "kernel.json").write_text(json.dumps(spec))
    runner = client.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    runner.create_kernel_manager().kernel_spec_manager.kernel_dirs = [str(tmp_path / "kernels")]
    runner.km.kernel_name = "here"
    runner.execute()
    shown, printed = notebook.cells[0].outputs
    assert shown["data"]["text/plain"].startswith("[DONE] 1/1 (100.0%)")
    assert printed["text"] == "1\n"
