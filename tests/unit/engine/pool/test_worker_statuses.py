"""Each worker shows what it is working on."""

from contextlib import closing

from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.testing.executors import attempts
from pixmill.testing.faulty_handlers import REF
from support.processes import wait_until


def test_each_worker_shows_its_task_and_for_how_long_it_has_run():
    with closing(Pool(REF, Policy(), workers=2)) as pool:
        (busy,) = attempts("sleep 30")
        pool.submit([busy])

        def is_seen():
            pool.wait(0.01)
            return all(status.pid for status in pool.worker_statuses()) and any(
                status.key is not None and status.memory for status in pool.worker_statuses()
            )

        wait_until(is_seen)
        statuses = {status.key: status for status in pool.worker_statuses()}
        assert len(pool.worker_statuses()) == 2
        assert statuses[busy.task.key].pid != statuses[None].pid
        wait_until(lambda: max(status.seconds for status in pool.worker_statuses()) > statuses[busy.task.key].seconds >= 0)


def test_a_worker_that_has_answered_is_idle():
    with closing(Pool(REF, Policy(), workers=1)) as pool:
        pool.submit(attempts("echo x"))
        wait_until(lambda: bool(pool.wait(0.05)))
        (status,) = pool.worker_statuses()
        assert (status.key, status.stage, status.seconds) == (None, "", 0.0)
