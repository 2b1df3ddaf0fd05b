"""The command. The only code that prints."""
