"""Decode, transform and encode images. Independent of storage, tasks and runs."""
