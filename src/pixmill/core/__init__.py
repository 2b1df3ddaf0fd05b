"""The ground floor: models, errors, units, the registry and the observer contract. Imports nothing of pixmill above it."""
