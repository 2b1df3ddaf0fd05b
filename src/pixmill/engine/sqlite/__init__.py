"""Opening, checking and repairing SQLite files."""
