"""Where sampled tasks spend their time, call by call."""
