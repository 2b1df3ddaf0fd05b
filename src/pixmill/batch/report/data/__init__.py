"""The data of the report."""
