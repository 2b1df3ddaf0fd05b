"""Help, reference and schemas, made from the declarations."""
