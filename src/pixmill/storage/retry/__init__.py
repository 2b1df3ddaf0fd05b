"""Retries with backoff, and a limit on how many requests are in flight."""
