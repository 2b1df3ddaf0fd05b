"""Datasets: outputs packed into shards for training programs, ``tar://FOLDER`` and ``parquet://FOLDER``.

Workers write every finished image as a *part*, as durably as any other output. When the run has finished, the coordinator
*seals* the parts into shards, in the order of the ledger's keys, and only then removes them. The *catalogue* records the
contents of the shards, so that a later run trusts a sealed image as it trusts a file.
"""
