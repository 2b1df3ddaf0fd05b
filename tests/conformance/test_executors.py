"""Every executor does what the contract says."""

import pytest

from pixmill.engine.executors.inline import InlineExecutor
from pixmill.engine.executors.local import LocalExecutor
from pixmill.testing.executors import ExecutorSuite, IsolatingExecutorSuite


class TestInlineExecutor(ExecutorSuite):
    @pytest.fixture
    def executor(self):
        return InlineExecutor()


class TestLocalExecutor(IsolatingExecutorSuite):
    @pytest.fixture
    def executor(self):
        return LocalExecutor(workers=2)
