"""Parsing of command lines, environment variables and configuration files into values."""
