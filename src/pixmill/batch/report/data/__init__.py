"""What the report is drawn from."""
