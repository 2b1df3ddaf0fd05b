"""A list of a stranger makes no connection into this network, whatever its name servers and web servers answer."""

import json
import shutil
import subprocess
import sys
from urllib.parse import quote

import pytest
from PIL import Image

from support import strangers_web
from support.fault_run import COMMAND, SOME_FAILED
from support.invariants import failed, outputs
from support.network_namespaces import why_no_hosts
from support.strangers_web import METADATA, PRIVATE, PUBLIC

pytestmark = [
    pytest.mark.row("hosts"),
    pytest.mark.skipif(bool(why_no_hosts()), reason=why_no_hosts()),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare gives name servers of their own"),
]
#: Shows name servers of our own to what runs inside; nothing outside changes.
OWN_NAMES = 'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"'
ELSEWHERE = [
    "http://127.0.0.1/a.png", "http://[::1]/a.png", "http://localhost/a.png", f"http://{PRIVATE}/a.png",
    f"http://{METADATA}/latest/meta-data/", "http://inside.test/a.png", "http://metadata.test/a.png", "http://mapped.test/a.png",
    "http://2130706433/a.png", "http://127.1/a.png",
]  # fmt: skip
REBINDING = ("rebinding.test", "rebinding6.test")
OTHER_SCHEMES = ["file:///etc/hostname", "ftp://public.test/a.png", "s3://bucket/a.png", "gopher://127.0.0.1/"]


@pytest.fixture
def among_strangers(tmp_path, request):
    """Return a function that runs a list of URLs in a web of strangers: what was reached, and the codes of what failed, by row."""
    resolver, switch, picture = tmp_path / "resolv.conf", tmp_path / "nsswitch.conf", tmp_path / "picture.png"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    switch.write_text("hosts: files dns\n")
    Image.new("RGB", (40, 30)).save(picture)
    destination = tmp_path / "out"

    def run(rows, *words):
        (tmp_path / "urls.txt").write_text("\n".join(rows))
        inside = ("unshare", "--net", "--mount", "sh", "-c", OWN_NAMES, "sh", resolver, switch)
        command = (*COMMAND, "run", tmp_path / "urls.txt", destination, "--workers", "1", *words)
        line = (*inside, sys.executable, strangers_web.__file__, picture, *command)
        ended = subprocess.run(line, capture_output=True, text=True, check=False, timeout=240)
        assert ended.returncode == 0, ended.stderr
        told = json.loads(ended.stdout)
        codes = [record.failure.code for record in failed(destination).values()]
        assert len(outputs(destination)) + len(codes) == len(rows), told["err"]
        request.node.user_properties.append(("faults", {"injected": len(codes), "images": len(rows), "lost": 0}))
        return told, sorted(codes)

    return run


def test_no_address_of_this_network_is_reached_by_its_name_or_by_a_redirect(among_strangers):
    redirects = [f"http://public.test/{number}?{quote(url, safe='')}" for number, url in enumerate([*ELSEWHERE, *OTHER_SCHEMES])]
    told, codes = among_strangers([*ELSEWHERE, *redirects, "http://public.test/good.png", "http://mixed.test/good.png"])
    assert told["code"] == SOME_FAILED
    assert set(told["reached"]) == {PUBLIC}
    assert codes == ["read-private"] * len(ELSEWHERE) * 2 + ["read-url"] * len(OTHER_SCHEMES)


def test_a_name_that_resolves_into_this_network_the_second_time_is_checked_each_time(among_strangers):
    told, codes = among_strangers([f"http://{name}/{number}.png" for name in REBINDING for number in range(3)])
    assert all(told["looked_up"][name] > 1 for name in REBINDING)
    assert set(told["reached"]) == {PUBLIC}
    assert set(codes) == {"read-private"}


def test_web_only_takes_urls_and_nothing_else(among_strangers):
    refused = [*OTHER_SCHEMES, "/etc/hostname", "../a.png", "http://127.0.0.1/a.png"]
    told, codes = among_strangers([*refused, "http://public.test/good.png"], "--web-only")
    assert set(told["reached"]) == {PUBLIC}
    assert len(codes) == len(refused)
