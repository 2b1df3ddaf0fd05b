import pytest

from pixmill.core.errors import ReadError, RunError
from pixmill.storage.retrying import Retrying
from pixmill.storage.schemes.memory import MemoryStorage


class Flaky(MemoryStorage):
    """A storage whose next calls fail with the given errors."""

    def __init__(self, *errors):
        super().__init__()
        self.errors = list(errors)

    def read(self, path, *, limit):
        if self.errors:
            raise self.errors.pop(0)
        return super().read(path, limit=limit)


@pytest.fixture
def pauses():
    return []


def retrying(storage, pauses):
    storage.write(b"a", b"data", durable=False)
    return Retrying(storage, attempts=3, pause=lambda attempt: attempt * 10, sleep=pauses.append)


def test_what_may_succeed_later_is_tried_again_after_a_pause(pauses):
    storage = retrying(Flaky(ReadError(retryable=True), ReadError(retryable=True)), pauses)
    assert storage.read(b"a", limit=10) == b"data"
    assert pauses == [10, 20]


def test_the_last_error_is_raised_when_every_try_failed(pauses):
    errors = [ReadError(str(number), retryable=True) for number in range(4)]
    with pytest.raises(ReadError, match="2"):
        retrying(Flaky(*errors), pauses).read(b"a", limit=10)
    assert pauses == [10, 20]


@pytest.mark.parametrize("error", [ReadError("corrupt"), RunError("full")])
def test_what_will_not_succeed_later_is_not_tried_again(pauses, error):
    with pytest.raises(type(error)):
        retrying(Flaky(error), pauses).read(b"a", limit=10)
    assert pauses == []
