"""The report of a run, generated from the ledger and the metrics, so that it can be generated again."""
