"""The duration of a run is estimated by the time that workers needed for each image, not by how long earlier runs took."""

import pytest
from PIL import Image

import pixmill
from pixmill.batch.config.models import RunConfig
from pixmill.batch.inspect.status import open_ledgers
from pixmill.batch.planning.dry_run import dry_run
from pixmill.batch.planning.estimate import WorkerSeconds, run_seconds
from pixmill.batch.planning.plan import plan
from pixmill.core.units import Rate
from pixmill.engine.ledger import RunRecord
from pixmill.engine.policy import Policy
from pixmill.engine.task import Counts


@pytest.fixture
def options():
    return plan(RunConfig(source="memory://in", destination="memory://out")).handler_options


def known(*pairs):
    seconds = WorkerSeconds()
    for pair in pairs:
        seconds.add(*pair)
    return seconds


def test_seconds_are_in_proportion_to_bytes_or_to_images_whose_bytes_are_unknown():
    assert known((1.0, 1000), (3.0, 3000)).of(2, 8000) == 8.0
    assert known((1.0, 0), (3.0, 0)).of(10, 0) == 20.0
    assert known((0.0, 1000)).of(1, 1000) is None, "its time is unknown"


def test_workers_share_the_work_and_a_maximum_rate_limits_them(options):
    config = RunConfig(source="a", destination="b", workers=4)
    limited = config.evolve(policy=Policy(max_rate=Rate(2)))
    arguments = {"handler_options": options, "runs": ()}
    assert run_seconds(known((1.0, 100)), 40, 4000, config=config, **arguments) == 10.0
    assert run_seconds(known((1.0, 100)), 40, 4000, config=limited, **arguments) == 20.0


def test_a_cluster_is_estimated_by_its_last_run(options):
    config = RunConfig(source="a", destination="b", executor="ray")
    runs = [RunRecord(number=1, started_at=100.0, ended_at=110.0, counts=Counts(done=50))]
    assert run_seconds(known((1.0, 100)), 40, 4000, config=config, handler_options=options, runs=runs) == 8.0
    assert run_seconds(known((1.0, 100)), 40, 4000, config=config, handler_options=options, runs=()) is None


def test_an_update_that_skipped_almost_everything_does_not_change_the_estimate(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(20):
        Image.new("RGB", (300, 200), (number, 90, 30)).save(tmp_path / "in" / f"{number:02}.png")
    everything = RunConfig(source=str(tmp_path / "in"), destination=str(tmp_path / "out"), force=True, workers=1)
    pixmill.run(everything.source, everything.destination, workers=1)
    Image.new("RGB", (300, 200), (1, 2, 3)).save(tmp_path / "in" / "new.png")
    update = pixmill.run(everything.source, everything.destination, workers=1)
    assert (update.counts.done, update.counts.skipped) == (1, 20)
    with open_ledgers(everything.destination) as ledger:
        worked = sum(record.seconds for record in ledger.records())
    assert dry_run(plan(everything)).seconds == pytest.approx(worked)
