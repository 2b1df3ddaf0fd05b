"""Safe access to the local file system: regular files only, atomic writes, and a code for every error."""
