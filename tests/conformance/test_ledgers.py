"""Every ledger does what the contract says."""

from functools import partial

import pytest

from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.testing.ledgers import LedgerSuite


class TestMemoryLedger(LedgerSuite):
    durable = False

    @pytest.fixture
    def opener(self):
        ledger = MemoryLedger()
        return lambda: ledger


class TestSqliteLedger(LedgerSuite):
    @pytest.fixture
    def opener(self, tmp_path):
        return partial(SqliteLedger, tmp_path / "ledger.db")
