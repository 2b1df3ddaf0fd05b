"""What all object stores have in common: buckets of keys behind one library, obstore."""
