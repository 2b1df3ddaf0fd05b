"""How far a run is, and how much work is left."""
