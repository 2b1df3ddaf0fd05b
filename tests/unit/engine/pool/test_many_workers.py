"""Far more workers than tasks, or than a machine can start at once."""

from contextlib import closing

from pixmill.core.units import ByteSize
from pixmill.engine.executors.local import LocalExecutor
from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.engine.pool.supervisor import _MAX_UNUSED, _MIN_UNUSED
from pixmill.testing.executors import attempts, run_all
from pixmill.testing.faulty_handlers import REF


def test_a_thousand_workers_for_a_few_tasks_are_not_all_started():
    with closing(Pool(REF, Policy(), workers=1000)) as pool:
        assert len(run_all(pool, attempts(*["echo x"] * 5))) == 5
        assert _MIN_UNUSED <= len(pool.worker_statuses()) <= _MAX_UNUSED + 5


def test_workers_are_started_as_long_as_there_are_tasks_for_them():
    wanted = _MAX_UNUSED * 3 // 2
    with closing(Pool(REF, Policy(), workers=wanted)) as pool:
        pending = attempts(*["sleep 20"] * 3 * wanted)
        while len(pool.worker_statuses()) < wanted:
            room = pool.capacity()
            pool.submit(pending[:room])
            del pending[:room]
            pool.wait(1)
    assert pending


def test_workers_that_cannot_share_the_memory_are_not_started():
    executor = LocalExecutor(workers=500)
    executor.start(REF, Policy(memory=ByteSize(1_000_000_000)))
    try:
        assert executor.workers == 4
    finally:
        executor.close()
