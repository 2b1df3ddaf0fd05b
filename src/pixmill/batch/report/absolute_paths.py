"""Absolute paths for commands that are pasted in another folder or on another day."""

from pixmill.batch.config.hints import command_arguments
from pixmill.batch.datasets.dataset import home
from pixmill.storage.address import Address


def absolute(address: str) -> str:
    """Return a local path, or that of a local dataset, as an absolute path, and any other address as it is."""
    parsed = Address.parse(address)
    folder = home(parsed).local
    if folder is None:
        return address
    return str(folder.absolute()) if parsed.local else f"{parsed.scheme}://{folder.absolute()}"


def absolute_arguments(destination: str, state: str | None) -> str:
    """Return the shell arguments with which a command finds the ledger of ``destination`` from any folder."""
    return command_arguments(absolute(destination), absolute(state) if state else None)
