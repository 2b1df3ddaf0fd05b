"""What can be seen of the workers while they are at something."""

from contextlib import closing

from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.testing.executors import attempts
from pixmill.testing.faulty_handlers import REF
from support.processes import wait_until


def test_each_worker_shows_what_it_is_at_and_since_when():
    with closing(Pool(REF, Policy(), workers=2)) as pool:
        (busy,) = attempts("sleep 30")
        pool.submit([busy])

        def is_seen():
            pool.wait(0.01)
            return all(post.pid for post in pool.worker_statuses()) and any(
                post.key is not None and post.memory for post in pool.worker_statuses()
            )

        wait_until(is_seen)
        posts = {post.key: post for post in pool.worker_statuses()}
        assert len(pool.worker_statuses()) == 2
        assert posts[busy.task.key].pid != posts[None].pid
        wait_until(lambda: max(post.seconds for post in pool.worker_statuses()) > posts[busy.task.key].seconds >= 0)


def test_a_worker_that_has_answered_is_at_nothing():
    with closing(Pool(REF, Policy(), workers=1)) as pool:
        pool.submit(attempts("echo x"))
        wait_until(lambda: bool(pool.wait(0.05)))
        (post,) = pool.worker_statuses()
        assert (post.key, post.stage, post.seconds) == (None, "", 0.0)
