"""One run as the command sees it through: observers, signals, summary."""
