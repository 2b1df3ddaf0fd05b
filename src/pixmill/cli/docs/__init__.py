"""Help, reference and schemas, generated from the declarations."""
