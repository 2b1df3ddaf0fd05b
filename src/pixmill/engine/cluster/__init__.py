"""Run attempts on many machines: the code shared by every cluster engine.

The coordinator leases attempts to *nodes*. Each node runs one *node agent*, an actor of the cluster engine, which drives a pool
like the local one: a crash there, too, costs only one task. Only the backend (``backend.py``) knows which engine is in use.
"""
