"""What a nursery imports for images: named here, apart from ``work``, for a command that starts one before all else."""

PRELOAD = ("pixmill.batch.worker.warm_up",)
