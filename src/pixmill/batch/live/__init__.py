"""The report of a run while it goes on: the same page, live, for whoever asks this process by HTTP."""
