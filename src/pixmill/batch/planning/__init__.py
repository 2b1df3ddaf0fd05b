"""Turn a configuration into a plan, checked against the file systems and stores that it uses."""
