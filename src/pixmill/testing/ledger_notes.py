"""The parts of the contract of ledgers about what they note beside tasks, and about records that are carried on."""

from pixmill.engine.ledger import MAX_TOOLSET, NOT_RECORDED, Ledger
from pixmill.engine.task import UNCHANGED, Attempt, Counts, Skipped, State, Task
from pixmill.testing.ledger_tasks import finish, fresh, number, tasks


class NotesSuite:
    """The names, the sources and the sets of libraries."""

    def test_a_name_has_one_owner_until_it_is_free_again(self, ledger: Ledger) -> None:
        ledger.claim([(b"b", b"first"), (b"c", b"first"), (b"b", b"second"), (b"d", b"second")])
        assert list(ledger.owners(b"b", b"d")) == [(b"b", b"first"), (b"c", b"first")]
        ledger.disown([b"b", b"unknown"])
        ledger.claim([(b"b", b"second")])
        assert list(ledger.owners(b"", b"z")) == [(b"b", b"second"), (b"c", b"first"), (b"d", b"second")]

    def test_many_names_are_listed_once_each(self, ledger: Ledger) -> None:
        names = [(b"%05d" % index, b"owner") for index in range(2500)]
        ledger.claim(names)
        assert list(ledger.owners(b"", b"z")) == names

    def test_the_prefix_of_a_source_is_found_by_its_root(self, ledger: Ledger) -> None:
        ledger.add_sources({b"/photos": b"", b"s3://bucket": b"s3://bucket/"})
        ledger.add_sources({b"/photos": b"moved"})
        assert ledger.sources() == {b"/photos": b"moved", b"s3://bucket": b"s3://bucket/"}

    def test_a_set_of_libraries_has_one_number(self, ledger: Ledger) -> None:
        first, second = ledger.add_toolset("png 1"), ledger.add_toolset("png 2")
        assert first != second
        assert 0 < first <= MAX_TOOLSET
        assert ledger.add_toolset("png 1") == first
        assert ledger.toolsets() == {first: "png 1", second: "png 2"}
        assert MAX_TOOLSET < 1 << 16

    def test_an_unknown_set_of_libraries_has_the_number_of_none(self, ledger: Ledger) -> None:
        assert ledger.add_toolset("") == NOT_RECORDED
        assert ledger.toolsets() == {NOT_RECORDED: ""}


class CarriedOnSuite:
    """Records that go on under another id, or with another result."""

    def test_a_record_of_the_same_version_goes_on_under_the_id_of_the_task(self, ledger: Ledger) -> None:
        same, other = tasks(2)
        finish(ledger, [same, other])
        now = [Task(number(77), same.key), Task(number(78), other.key)]
        records = ledger.get_or_add(now, is_same=lambda task, record: record.id == same.id and task.id == number(77))
        assert [(record.id, record.state) for record in records] == [(number(77), State.DONE), (number(78), State.PENDING)]
        assert records[0].result == b"result of " + same.key
        assert ledger.get_or_add(now) == [records[0], fresh(now[1], former=b"result of " + other.key)]

    def test_a_skipped_task_with_a_result_is_done(self, ledger: Ledger) -> None:
        (task,) = tasks(1)
        finish(ledger, [task])
        ledger.renew([task])
        ledger.start_attempts([Attempt(task)])
        ledger.record_outcomes([Skipped(task=task, reason=UNCHANGED, result=b"now")])
        (record,) = ledger.get_or_add([task])
        assert (record.state, record.result, record.former, record.attempts) == (State.DONE, b"now", b"", 1)
        assert ledger.counts() == Counts(done=1)
        ledger.begin_run()
        assert ledger.get_or_add([task])[0].state is State.DONE
