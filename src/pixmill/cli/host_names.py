"""Messages inside a container in the words of its host: folders by the names that they have there, commands as typed there.

``docker-compose.yml`` sets ``HOST_INPUT_DIR`` and ``HOST_OUTPUT_DIR``, the mounted folders, and ``HOST_COMMAND``, which stands for
``pixmill``. Without them, text stays as it is.
"""

import re
import shlex
from collections.abc import Mapping

FOLDERS = {"INPUT_DIR": "HOST_INPUT_DIR", "OUTPUT_DIR": "HOST_OUTPUT_DIR"}
#: A command in a message: its name, then options with their values, quoted words, paths and the placeholders SRC and DST. What
#: must follow the name tells it from prose ("no pixmill run found") and from the examples in the help.
COMMAND = re.compile(
    r"\bpixmill (?:(failures|retry|status|verify|report)|(run|plan|watch))(?= [-/'SD]|[.;,)]|$)"
    r"((?: (?:--?[a-z][\w-]*(?: [^\s;,)-][^\s;,)]*)?|'[^']*'|/[^\s;,)]*|SRC\b|DST\b))*)"
)
EXPLANATION = " (in a container: the folder mounted there)"  # needed only where the name on the host is not known
#: Advice on a setting of the container, or on an installation: under Compose, each belongs into a file.
INSTEAD = (
    (re.compile(r'user: "(\d+):(\d+)"'), r"UID=\1 and GID=\2 in .env"),
    (
        re.compile(r"pip install 'pixmill\[(\w+)\]'"),
        r"copy packages of the extra '\1' from requirements-dev.txt to docker/requirements-image.txt; then: docker compose build",
    ),
)
#: A process in another container, which has its identifier as host name.
OTHER_CONTAINER = re.compile(r"process \d+ on ([0-9a-f]{12})\b")


class HostNames:
    """Replaces what the host does not know, by the variables of ``environment``."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the environment of the command."""
        self._command = environment.get("HOST_COMMAND", "")
        self._output = environment.get("OUTPUT_DIR", "")
        pairs = ((environment.get(inside), environment.get(outside)) for inside, outside in FOLDERS.items())
        self._folders = {inside.rstrip("/"): outside for inside, outside in pairs if inside and outside}
        names = "|".join(map(re.escape, self._folders))
        self._path = re.compile(rf"(?<![\w./-])({names})((?:/[^\s,;:)'\"]*)?)(?![\w-]|\.\w)") if names else None

    def translated(self, text: str) -> str:
        """Return ``text`` for somebody on the host."""
        if not self._command and self._path is None:
            return text
        translated, end = "", 0
        for found in COMMAND.finditer(text) if self._command else ():
            translated += self._in_prose(text[end : found.start()]) + self._typed(found)
            end = found.end()
        return translated + self._in_prose(text[end:])

    def _in_prose(self, text: str) -> str:
        if self._command:
            text = OTHER_CONTAINER.sub(r"\g<0>; to stop it: docker stop \1", text)
            for pattern, replacement in INSTEAD:
                text = pattern.sub(replacement, text)
        if self._path is None or not self._path.search(text):
            return text
        return self._path.sub(self._on_host, text).replace(EXPLANATION, "")

    def _on_host(self, found: re.Match[str]) -> str:
        return shlex.quote(self._folders[found[1]].rstrip("/") + found[2])

    def _typed(self, found: re.Match[str]) -> str:
        """Return the command in ``found`` as typed on the host; its paths stay those of the container, where it will run."""
        after_run, before_run, words = found.groups()
        if after_run:  # these take the output from the environment
            words = re.sub(rf" (?:DST\b|{re.escape(self._output)}(?= |$))", "", words) if self._output else words
        return f"{self._command} {after_run or before_run}{words}"
