"""The kinds of sources, one module each, which yield the inputs of a run."""
