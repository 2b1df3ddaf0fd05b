"""The lowest layer: models, errors, units, the registry and the observer contract. Imports nothing from the layers above."""
