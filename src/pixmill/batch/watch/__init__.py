"""What a hot folder needs: to hear of changes, to wait until files are whole, and to turn them into tasks."""
