"""The live page: the report of a run in progress, served by this process over HTTP."""
