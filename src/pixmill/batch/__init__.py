"""The product: takes images from storage through the engine and back. The composition root is run.py."""
