"""The state of an output: its lock, its ledger, its identity."""
