"""Watchers that end with their test, and the two ways in which they learn of changes."""

import pytest

from support.watching import Watching


@pytest.fixture
def watch(tmp_path):
    (tmp_path / "in").mkdir(exist_ok=True)
    watchers = []

    def begin(*options):
        watchers.append(Watching(tmp_path, *options))
        return watchers[-1]

    yield begin
    for watcher in watchers:
        watcher.end()


@pytest.fixture(params=[(), ("--poll", "100ms")], ids=["inotify", "polling"])
def how(request):
    return request.param
