"""The configuration of a run: its models, and how options become one."""
