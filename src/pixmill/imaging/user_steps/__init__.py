"""Steps that are classes of the user's own: what they declare, and the one instance of each in a process."""
