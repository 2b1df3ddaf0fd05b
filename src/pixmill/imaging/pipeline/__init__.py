"""The stages that an image passes through, from bytes to bytes."""
