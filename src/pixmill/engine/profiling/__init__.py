"""Where the time of sampled tasks goes, call by call."""
