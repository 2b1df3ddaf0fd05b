"""Whatever is done to them in whatever order, the ledger in a file and the one in memory say the same."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pixmill.engine.ledger import Claims
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import Attempt, BegunTask, Counts, Done, Failed, Failure, Skipped, State, Task

KEYS = [b"a", b"a/b", b"b", b"\xff", b"\n"]
TASKS = st.builds(Task, st.binary(min_size=1, max_size=1).map(lambda byte: bytes([byte[0] % 3]) * 16), st.sampled_from(KEYS))
SOME = st.lists(TASKS, max_size=4, unique_by=lambda task: task.key)
BEGUN = st.builds(
    BegunTask,
    id=TASKS.map(lambda task: task.id),
    started_at=st.sampled_from([0.5, 3.0]),
    seconds=st.sampled_from([0.04, 2.0]),
    alone=st.booleans(),
)
OUTCOMES = st.one_of(
    st.builds(Done, task=TASKS, result=st.binary(max_size=4), seconds=st.just(0.5)),
    st.builds(Failed, task=TASKS, failure=st.just(Failure(code="x", stage="y", message="z")), remembered=st.booleans()),
    st.builds(Skipped, task=TASKS),
    st.builds(Skipped, task=TASKS, reason=st.just("exists")),
    st.builds(Skipped, task=TASKS, result=st.binary(min_size=1, max_size=4)),
)


NAMES = [b"one", b"two", b"\xfe"]


class NameClaims(Claims):
    """A task claims a name by its id, so that different tasks want the same."""

    def of_task(self, task):
        return [NAMES[task.id[0]]]

    def of_result(self, result):
        return [result]


class Ledgers(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.db"
        self.memory = MemoryLedger(clock=lambda: 7.0, claims=NameClaims())
        self.sqlite = SqliteLedger(self.path, clock=lambda: 7.0, claims=NameClaims())

    def both(self, act):
        assert act(self.memory) == act(self.sqlite)

    @rule(about=st.binary(max_size=3), begun=st.lists(BEGUN, max_size=3))
    def begin(self, about, begun):
        self.both(lambda ledger: ledger.begin_run(about, begun=begun))

    @rule(tasks=SOME)
    def admit(self, tasks):
        self.both(lambda ledger: ledger.get_or_add(tasks))

    @rule(tasks=SOME)
    def carry_on(self, tasks):
        self.both(lambda ledger: ledger.get_or_add(tasks, is_same=lambda task, record: record.id > task.id))

    @rule(versions=st.sampled_from(["", "png 1", "png 2"]))
    def note_toolset(self, versions):
        self.both(lambda ledger: (ledger.add_toolset(versions), ledger.toolsets()))

    @rule(tasks=SOME)
    def start(self, tasks):
        self.both(lambda ledger: ledger.start_attempts([Attempt(task) for task in tasks]))

    @rule(tasks=SOME)
    def renew(self, tasks):
        self.both(lambda ledger: ledger.renew(tasks))

    @rule(tasks=SOME)
    def release(self, tasks):
        self.both(lambda ledger: ledger.release_attempts(tasks))

    @rule(outcomes=st.lists(OUTCOMES, max_size=4))
    def finish(self, outcomes):
        self.both(lambda ledger: ledger.record_outcomes(outcomes))

    @rule(outcomes=st.lists(OUTCOMES, max_size=4, unique_by=lambda outcome: outcome.task.key))
    def adopt(self, outcomes):
        other = MemoryLedger(clock=lambda: 8.0)
        other.get_or_add([outcome.task for outcome in outcomes])
        other.record_outcomes(outcomes)
        self.both(lambda ledger: ledger.import_records(other.records()))

    @rule(keys=st.lists(st.sampled_from([*KEYS, b"unknown"]), max_size=3, unique=True))
    def forget(self, keys):
        self.both(lambda ledger: ledger.reset(keys))

    @rule(names=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(KEYS)), max_size=3))
    def claim(self, names):
        self.both(lambda ledger: ledger.claim(names))

    @rule(names=st.lists(st.sampled_from(NAMES), max_size=2))
    def disown(self, names):
        self.both(lambda ledger: ledger.disown(names))

    @rule(begin=st.sampled_from([b"", *NAMES]), end=st.sampled_from([*NAMES, b"\xff"]))
    def list_owners(self, begin, end):
        self.both(lambda ledger: list(ledger.owners(begin, end)))

    @rule(root=st.sampled_from(NAMES), prefix=st.sampled_from([b"", *KEYS]))
    def add_source(self, root, prefix):
        self.both(lambda ledger: ledger.add_sources({root: prefix}))
        self.both(lambda ledger: ledger.sources())

    @rule()
    def end(self):
        if list(self.memory.runs()):
            self.both(lambda ledger: ledger.end_run(Counts(done=1), "finished"))

    @rule()
    def open_again(self):
        self.sqlite.close()
        self.sqlite = SqliteLedger(self.path, clock=lambda: 7.0, claims=NameClaims())
        if list(self.memory.runs()):
            self.both(lambda ledger: ledger.begin_run())

    @invariant()
    def they_agree_and_add_up(self):
        self.both(lambda ledger: ledger.counts())
        self.both(lambda ledger: list(ledger.runs()))
        for state in (None, *State):
            self.both(lambda ledger, state=state: list(ledger.records(state)))
        counts = self.sqlite.counts()
        assert counts.found == counts.done + counts.failed + counts.pending == len(list(self.sqlite.records()))

    def teardown(self):
        self.sqlite.close()
        self.folder.cleanup()


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
