"""Datasets: outputs gathered into shards that training programs read, ``tar://FOLDER`` and ``parquet://FOLDER``.

Workers write every finished image as a *part*, as durably as any other output. When the run has finished, the coordinator
*seals* the parts into shards, in the order of the ledger's keys, and only then removes them. What the shards hold is in the
*catalogue*, so that a later run believes a sealed image as it believes a file.
"""
