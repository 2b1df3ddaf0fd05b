"""The state of an output that is not on this machine: who may write to it, and how another machine goes on with it."""
