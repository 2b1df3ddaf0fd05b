"""What a run was asked to do: the models, and the ways to state them."""
