"""From a configuration to a plan that was checked against the world."""
