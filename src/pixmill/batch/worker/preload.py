"""The modules that the fork server imports; a module of its own, so that the command can pre-start one before other imports."""

PRELOAD = ("pixmill.batch.worker.warm_up",)
