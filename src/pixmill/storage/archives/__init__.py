"""Archives as storages: their members are read where they lie, and nothing is unpacked."""
