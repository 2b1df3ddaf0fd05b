"""What only the owner of an address should know is in no file and no output of a run, and in the ledger only its owner reads it."""

import io
import stat
from urllib.parse import quote

import pytest
from PIL import Image

from support.web_server import Answer, serving

SECRET = "Tr0ub4dor&3"
FORMS = {SECRET, quote(SECRET), quote(quote(SECRET)), SECRET.replace("&", "&amp;"), SECRET.replace("&", "\\u0026"), "Tr0ub4dor"}
RECORDS = ("--report", "r.html", "--events", "e.jsonl", "--log-file", "l.log", "--metrics-file", "m.json")


def picture():
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 90, 200)).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture
def server():
    signed = f"sig={quote(SECRET)}"
    answers = {
        f"/good.jpg?{signed}": Answer(picture()),
        f"/damaged.jpg?{signed}": Answer(picture()[:300]),
        f"/text.jpg?{signed}": Answer(b"no image"),
        f"/refused.jpg?{signed}": Answer(status=403),
        f"/moved.jpg?{signed}": Answer(status=302, headers={"Location": f"/lost.jpg?{signed}"}),
    }
    with serving(answers) as web:
        yield web


def leaks(folder, *texts):
    """Return the files below ``folder`` that show the secret, and the indexes of such ``texts``; not the list, and not ledgers."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(("ledger.sqlite", "list.txt"))]
    shown = [str(path) for path in files if contains_secret(path.read_text(errors="replace"))]
    return shown + [str(index) for index, text in enumerate(texts) if contains_secret(text)]


def contains_secret(text):
    return any(form in text for form in FORMS)


def outputs(*runs):
    return [text for run in runs for text in (run.stdout, run.stderr)]


def test_a_signed_address_is_shown_without_its_signature(pixmill, server, tmp_path):
    source = f"{server.url}/good.jpg?sig={quote(SECRET)}"
    run = pixmill("run", source, "out", "--allow-private-hosts", *RECORDS)
    assert run.returncode == 0, run.stderr
    machine = pixmill("run", source, "out", "--allow-private-hosts", "--force", "--json")
    looks = [pixmill(*words) for words in (["status", "out"], ["status", "out", "--json"], ["verify", "out"], ["report", "out"])]
    assert leaks(tmp_path, *outputs(run, machine, *looks)) == []
    ledger = tmp_path / "out" / ".pixmill" / "ledger.sqlite"
    assert contains_secret(ledger.read_bytes().decode(errors="replace")), "without it, a later run could not read the source"
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600
    assert "/good.jpg" in (tmp_path / "r.html").read_text()


def test_failures_of_signed_addresses_in_a_list_show_no_signature(pixmill, server, tmp_path):
    names = ("good", "damaged", "text", "refused", "moved")
    rows = [f"{server.url}/{name}.jpg?sig={quote(SECRET)}\n" for name in names]
    (tmp_path / "list.txt").write_text("".join(rows))
    run = pixmill("run", "list.txt", "out", "--allow-private-hosts", *RECORDS)
    assert run.returncode == 1
    looks = [pixmill(*words) for words in (["failures", "out"], ["failures", "out", "--json"], ["retry", "out"], ["report", "out"])]
    assert "4" in looks[0].stdout
    assert leaks(tmp_path, *outputs(run, *looks)) == []


def test_a_password_in_an_address_is_refused_and_not_repeated(pixmill, server, tmp_path):
    source = server.url.replace("://", f"://me:{quote(SECRET)}@") + "/good.jpg"
    run = pixmill("run", source, "out", "--allow-private-hosts", *RECORDS)
    assert run.returncode == 2
    assert "user name or password" in run.stderr
    assert leaks(tmp_path, *outputs(run)) == []
    assert server.asked == []
