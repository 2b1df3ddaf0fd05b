"""Operations, one file each, discovered by module name."""
