"""Completion of command lines in shells: scripts for bash, zsh and fish, generated from the declarations."""
