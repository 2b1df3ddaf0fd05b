"""Small pictures for the report, made by a worker."""
