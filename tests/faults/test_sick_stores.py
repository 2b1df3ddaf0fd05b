"""A store that is sick holds the run: it refuses, breaks off or is away, and no image fails, is lost or pays with an attempt."""

import json
import os
import re
import time
from urllib.parse import urlsplit

import pytest

from pixmill.storage.open import open_storage
from support.fault_run import COMMAND
from support.machines import Machine
from support.picture_bucket import PictureBucket
from support.processes import wait_until
from support.proxy import Faults, fault_proxy

WORDS = ("--size", "64x64", "--format", "webp", "--progress", "plain", "--workers", "6", "--attempts", "1")


@pytest.fixture
def place(s3, gallery):
    return lambda count: PictureBucket(s3, gallery(count))


@pytest.fixture
def behind(tmp_path):
    """Return a machine that reaches the store only through a proxy with faults, and this proxy."""
    made = []

    def behind(proxy):
        made.append(Machine(COMMAND, tmp_path / "home", f"http://127.0.0.1:{proxy.port}"))
        return made[-1]

    yield behind
    for each in made:
        each.leave()


def upstream():
    return urlsplit(os.environ["AWS_ENDPOINT_URL"]).port


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def of(kind, found):
    return [event for event in found if event["event"] == kind]


@pytest.mark.parametrize("breaks", [pytest.param(False, id="503"), pytest.param(True, id="reset", marks=pytest.mark.long)])
def test_two_of_three_requests_may_be_refused(place, behind, gallery, undisturbed, breaks):
    here = place(8)
    with fault_proxy(upstream(), Faults(cycle=3, burst=2, breaks=breaks)) as proxy:
        machine = behind(proxy)
        out, err = machine.run("run", here.source, here.destination, *WORDS, "--json")
        again = machine.run("run", here.source, here.destination, *WORDS)[1]
    assert "Traceback" not in err + again
    assert here.outputs() == undisturbed(gallery(8), WORDS)
    report = events(out)[-1]
    assert (report["counts"]["done"], report["counts"]["failed"], report["counts"]["pending"]) == (8, 0, 0)
    assert "skipped   8 images" in again


SICK = {
    "503": (pytest.mark.row("B1"), {"cycle": 3, "burst": 1, "status": 503}),
    "429": (pytest.mark.row("B2"), {"cycle": 3, "burst": 1, "status": 429}),
    "500": (pytest.mark.row("B3"), {"cycle": 3, "burst": 1, "status": 500}),
    "refused": (pytest.mark.row("B4"), {"away": 2}),
    "reset": (pytest.mark.row("B5"), {"cycle": 3, "burst": 1, "breaks": True}),
    "silent": (pytest.mark.row("B6"), {"silent": 2}),
    "slow": (pytest.mark.row("B7"), {"slow": 2}),
    "short": (pytest.mark.row("B8"), {"short": 2}),
}
QUICK = {("503", "put"), ("429", "list"), ("short", "get")}


def sicknesses():
    """Return every fault of a store in requests of each kind; the answer to a PUT has no body that could be cut: it is lost."""
    found = []
    for name, (row, faults) in SICK.items():
        for kind in ("get", "put", "list"):
            injected = {"lost": 2} if (name, kind) == ("short", "put") else faults
            marks = [row] if (name, kind) in QUICK else [row, pytest.mark.long]
            found.append(pytest.param(Faults(**injected, kinds=frozenset({kind})), id=f"{name}-{kind}", marks=marks))
    return found


@pytest.mark.parametrize("faults", sicknesses())
def test_no_image_pays_for_a_sick_store(request, place, behind, gallery, undisturbed, faults):
    here = place(6)
    sources = open_storage(here.source)
    before = [entry for listing in sources.list() for entry in listing]
    with fault_proxy(upstream(), faults) as proxy:
        machine = behind(proxy)
        out, err = machine.run("run", here.source, here.destination, *WORDS, "--json")
        injected = sum(count for name, count in proxy.seen.items() if name != "requests")
        again = machine.run("run", here.source, here.destination, *WORDS)[1]
    request.node.user_properties.append(("faults", {"injected": injected, "images": 6, "lost": 6 - len(here.outputs())}))
    assert injected > 0
    assert "Traceback" not in err + again
    assert here.outputs() == undisturbed(gallery(6), WORDS)
    finished = of("task_finished", events(out))
    assert len({event["key"] for event in finished}) == len(finished) == 6
    assert {event["attempts"] for event in finished} == {1}
    counts = events(out)[-1]["counts"]
    assert (counts["done"], counts["failed"], counts["pending"]) == (6, 0, 0)
    assert "skipped   6 images" in again
    assert [entry for listing in sources.list() for entry in listing] == before


def test_a_store_that_goes_away_and_comes_back_costs_only_time(place, behind, gallery, undisturbed):
    here = place(120)
    with fault_proxy(upstream(), Faults(latency=0.02)) as proxy:
        machine = behind(proxy)
        process = machine.start("run", here.source, here.destination, *WORDS, "--events", str(machine.home / "events"))
        wait_until(lambda: outputs_begun(here), seconds=60)
        proxy.is_away = True
        wait_until(lambda: "waiting  for the store" in state(machine, here), seconds=60)
        proxy.is_away = False
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert re.search(r"\[WAITING\] for the store, up to 10:00 \(--store-timeout\): .*the connection failed \(connect\)", err), err
    assert "[RESUMED] after" in err
    assert "waiting for the store (" in err or "[DONE]" in err
    found = events((machine.home / "events").read_text())
    assert (len(of("store_held", found)), len(of("store_recovered", found))) == (1, 1)
    assert {event["attempts"] for event in of("task_finished", found)} == {1}
    assert here.outputs() == undisturbed(gallery(120), WORDS)


def outputs_begun(here):
    return any(listing for listing in open_storage(here.destination).list(descend=lambda path: path != b".pixmill"))


def state(machine, here):
    """Return what ``status`` says of the ledger on this machine; the store itself cannot be asked."""
    process = machine.start("status", here.destination)
    return process.communicate(timeout=60)[0]


def test_when_the_time_is_over_the_run_ends_and_everything_else_is_pending(place, behind):
    here = place(60)
    with fault_proxy(upstream(), Faults(latency=0.02)) as proxy:
        machine = behind(proxy)
        process = machine.start("run", here.source, here.destination, *WORDS, "--store-timeout", "8s")
        wait_until(lambda: outputs_begun(here), seconds=60)
        proxy.is_away = True
        began = time.monotonic()
        _, err = process.communicate(timeout=120)
        assert process.returncode == 3, err
        assert time.monotonic() - began > 8
        assert "has not recovered within 8.0 s" in err
        assert "Traceback" not in err
        assert "Errors: 0" in err
        proxy.is_away = False
        status = json.loads(machine.run("status", here.destination, "--json")[0])
        assert (status["failed"], status["done"] + status["pending"]) == (0, 60)
        machine.run("run", here.source, here.destination, *WORDS)
        status = json.loads(machine.run("status", here.destination, "--json")[0])
        assert (status["done"], status["failed"], status["pending"]) == (60, 0, 0)
