"""The coordinator's part in the admission of nodes: a file in DST for them to find, and the judgement of their evidence."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import chain

import msgspec

from pixmill.batch.config.fingerprint import all_steps
from pixmill.batch.item import from_payload
from pixmill.batch.planning.plan import Plan
from pixmill.batch.state.location import FOLDER
from pixmill.batch.worker.node_evidence import (
    MAX_SAMPLE_BYTES,
    MISSING,
    Environment,
    Evidence,
    Observation,
    ProbeQuestion,
    answer,
    look,
    open_briefly,
)
from pixmill.core.errors import PixmillError, ReadError, RunError
from pixmill.core.object_reference import reference
from pixmill.core.text import printable
from pixmill.engine.executor import Executor
from pixmill.engine.probe import Probe
from pixmill.engine.task import Task
from pixmill.storage.address import Address
from pixmill.storage.open import schemes

SAMPLES = 8  # of the first entries of SRC, which a node has to see as the coordinator sees them
_WEB = (b"\0http://", b"\0https://")
_ALIKE = "have the same file system at this place on every node; for a bucket, the same credentials and endpoint"
_INSTALLED = "install the same on every node"
_WHOLE_PATH = "name the file by its whole path, and have it there on every node"


def admitting(executor: Executor, made: Plan, tasks: Iterable[Task | None], stack: ExitStack) -> Iterator[Task | None]:
    """Have the nodes of ``executor`` checked before they get work; return ``tasks``, the first of which are the samples.

    ``stack`` removes whatever this puts into DST. ``RunError`` when it cannot be put there.
    """
    stream = iter(tasks)
    first, samples = list[Task | None](), list[Task]()
    for task in stream:
        first.append(task)
        if task is None:
            break
        samples.append(task)
        if len(samples) == SAMPLES:
            break
    executor.admit_by(NodeProbe(made, samples, stack))
    return chain(first, stream)


class NodeProbe(Probe):
    """Asks nodes whether SRC, DST, the files of steps, plugins and libraries there are the coordinator's."""

    function = reference(answer)

    def __init__(self, made: Plan, samples: Sequence[Task], stack: ExitStack) -> None:
        """Put a file into DST, which ``stack`` removes."""
        assignment, steps = made.assignment, list(all_steps(made.config.recipe))
        prefix = f"{FOLDER}/admission-{assignment.tag}-".encode()
        self._question = ProbeQuestion(
            source=assignment.source,
            destination=assignment.destination,
            tag=assignment.tag,
            follow_symlinks=assignment.follow_symlinks,
            mark=prefix + secrets.token_hex(8).encode(),
            samples=tuple(_places(samples)),
            files=tuple(dict.fromkeys(file for step in steps for file in step.files)),
            modules=tuple(dict.fromkeys(_modules(made))),
        )
        self.options = msgspec.msgpack.encode(self._question)
        self._content = secrets.token_hex(16)
        self._storage = open_briefly(assignment.destination, tag=assignment.tag)
        self._own_evidence: Environment | None = None
        self._clear(prefix)
        stack.callback(self._clear, prefix)
        try:
            self._storage.write(self._question.mark, self._content.encode(), durable=False)
        except PixmillError as error:
            code = error.code if isinstance(error, RunError) else "not-writable"
            raise RunError(f"DST cannot be written: {error.message}", hint=error.hint, code=code) from error

    def check(self, evidence: bytes) -> None:
        """Raise ``RunError`` with all that is wrong with the node that has shown ``evidence``."""
        shown = msgspec.msgpack.decode(evidence, type=Evidence)
        faults = dict([*self._destination(shown), *self._faults(shown.surroundings)])
        if faults:
            raise RunError("; ".join(faults), hint="; ".join(dict.fromkeys(faults.values())))

    def _destination(self, shown: Evidence) -> Iterator[tuple[str, str]]:
        place = f"DST {Address.parse(self._question.destination)} is not the coordinator's there"
        if shown.mark.error:
            yield f"{place}: {shown.mark.error}", _ALIKE
        elif shown.mark.state != self._content or not self._has_arrived(shown.reply):
            yield f"{place}: what is written on one side is not found on the other", _ALIKE

    def _has_arrived(self, reply: bytes) -> bool:
        """Tell whether a node's file is here."""
        if not reply.startswith(self._question.mark):
            return False
        try:
            return self._storage.read(reply, limit=MAX_SAMPLE_BYTES) == self._content.encode()
        except PixmillError:
            return False

    def _faults(self, theirs: Environment) -> Iterator[tuple[str, str]]:
        """Yield what is wrong, each with a hint."""
        question, ours = self._question, self._as_here(theirs)
        source = f"SRC {Address.parse(question.source)}"
        if theirs.source != ours.source:
            yield f"{source} {theirs.source.error}", _ALIKE
        else:
            for fault in [*_differences(question.samples, theirs.samples, ours.samples)][:1]:
                yield f"{source} is not the coordinator's there: {fault}", _ALIKE
        for fault in _differences(question.files, theirs.files, ours.files):
            yield f"a file of a step is not the coordinator's there: {fault}", _WHOLE_PATH
        for fault in _differences(question.modules, theirs.modules, ours.modules):
            yield f"a Python module of the recipe is not the coordinator's there: {fault}", _INSTALLED
        names = [name for name, version in ours.libraries.items() if theirs.libraries.get(name) != version]
        if names:
            here, there = (", ".join(_version(name, each.libraries) for name in names) for each in (ours, theirs))
            yield f"it has {there}, the coordinator has {here}: results could differ", _INSTALLED

    def _as_here(self, theirs: Environment) -> Environment:
        """Return what is to be seen here; anew where it differs, since a sample may have been changed meanwhile."""
        if self._own_evidence is None or self._own_evidence != theirs:
            self._own_evidence = look(self._question)
        return self._own_evidence

    def _clear(self, prefix: bytes) -> None:
        """Remove the files of this run, or those that a run left that was killed: the lock is ours."""
        with suppress(PixmillError):
            for entries in self._storage.list(FOLDER.encode(), descend=lambda _: False, on_error=_unheard):
                for entry in entries:
                    if entry.path.startswith(prefix):
                        self._storage.delete(entry.path)
        local = Address.parse(self._question.destination).local
        if local is not None:
            with suppress(OSError):  # as a rule it holds the state, and stays
                (local / FOLDER).rmdir()


def _places(samples: Iterable[Task]) -> Iterator[bytes]:
    """Yield what workers find the ``samples`` by, pages of the web left out: nobody asks for those ahead."""
    for item in (from_payload(task.payload) for task in samples):
        place = item.locator or item.entry.path
        if not item.source_error and not place.startswith(_WEB):
            yield place


def _modules(made: Plan) -> Iterator[str]:
    """Yield the modules that nodes need besides pixmill: of steps, codecs and schemes that are plugins, and of functions."""
    recipe, steps = made.config.recipe, list(all_steps(made.config.recipe))
    ends = (Address.parse(made.assignment.source), Address.parse(made.assignment.destination))
    kinds = [*map(type, steps), *(type(rendition.encode) for rendition in recipe.renditions)]
    kinds += [schemes().get(end.scheme) for end in ends]
    yield from (kind.__module__ for kind in kinds if not kind.__module__.startswith("pixmill."))
    yield from (module for step in steps for module in step.modules)


def _differences(names: Iterable[bytes | str], theirs: Sequence[Observation], ours: Sequence[Observation]) -> Iterator[str]:
    """Yield how what a node sees differs from what we see; what we cannot see ourselves proves nothing."""
    for name, there, here in zip(names, theirs, ours, strict=True):
        if there != here and not here.error:
            shown = printable(name.lstrip(b"\0") if isinstance(name, bytes) else name)
            yield f"{shown} {there.error}" if there.error == MISSING else f"{shown}: {there.error or 'it differs'}"


def _version(name: str, versions: dict[str, str]) -> str:
    return f"{name} {versions[name]}" if versions.get(name) else f"no {name}"


def _unheard(path: bytes, error: ReadError) -> None:
    """Do nothing: where nothing can be listed, nothing is to be cleared."""
