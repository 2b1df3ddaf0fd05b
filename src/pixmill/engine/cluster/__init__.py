"""Attempts on many machines: what every cluster engine has in common.

The coordinator leases attempts to *nodes*. On each there is one *host*, an actor of the cluster engine, that drives a pool like
the local one: a crash costs one task there too. Only the fleet (``backend.py``) knows which engine it is.
"""
