"""Exporters of metrics and events, one file each."""
