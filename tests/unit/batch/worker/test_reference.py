import msgspec
import pytest

from pixmill.batch.config.models import RunConfig
from pixmill.batch.planning.plan import plan
from pixmill.batch.worker.reference import PER_CORE, worker_count
from pixmill.core.units import ByteSize
from pixmill.engine.policy import Policy
from pixmill.engine.resources.cpu import usable_cores
from pixmill.engine.resources.memory import BYTES_PER_WORKER


@pytest.fixture
def assignment(tmp_path):
    (tmp_path / "in").mkdir()
    made = plan(RunConfig(source=str(tmp_path / "in"), destination=str(tmp_path / "out"))).handler_options
    return lambda **places: msgspec.structs.replace(made, **places)


def config(**choices):
    return RunConfig(source="in", destination="out", **choices)


def test_files_of_this_machine_keep_as_many_workers_busy_as_there_are_cores(assignment):
    assert worker_count(config(), assignment()) is None


@pytest.mark.parametrize("places", [{"source": "s3://photos"}, {"destination": "gs://thumbs"}])
def test_a_store_is_waited_for_by_several_workers_a_core(assignment, places):
    plenty = Policy(memory=ByteSize(PER_CORE * usable_cores() * BYTES_PER_WORKER))
    assert worker_count(config(policy=plenty), assignment(**places)) == PER_CORE * usable_cores()


def test_where_memory_is_short_there_are_fewer_workers_but_one_a_core(assignment):
    short = Policy(memory=ByteSize(BYTES_PER_WORKER))
    assert worker_count(config(policy=short), assignment(source="s3://photos")) == usable_cores()


def test_who_says_how_many_gets_as_many(assignment):
    assert worker_count(config(workers=3), assignment(source="s3://photos")) == 3


def test_another_executor_decides_for_itself(assignment):
    assert worker_count(config(executor="inline"), assignment(source="s3://photos")) is None
