"""Traits of a picture: what an index says about how it looks, in a few bytes, and when it was taken."""
