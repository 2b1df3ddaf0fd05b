"""The state folder of an output: its lock, its ledger, its identity."""
