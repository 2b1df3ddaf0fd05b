"""What was done, made from the ledger and the metrics, so that it can be made again."""
