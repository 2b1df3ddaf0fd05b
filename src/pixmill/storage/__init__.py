"""Storages and addresses: where bytes are stored and how they are named. Independent of images, tasks and runs."""
