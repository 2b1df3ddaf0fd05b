"""The coordinator's side of node admission: write a probe file to DST for nodes to find, and check their evidence."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import chain

import msgspec

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
    observe,
    open_with_deadline,
)
from pixmill.core.errors import PixmillError, ReadError, RunError
from pixmill.core.object_reference import reference
from pixmill.core.text import printable
from pixmill.engine.executor import Executor
from pixmill.engine.probe import Probe
from pixmill.engine.task import Task
from pixmill.storage.address import Address
from pixmill.storage.open import schemes

MAX_SAMPLES = 8  # of the first entries of SRC, which must look the same from a node as from the coordinator
_WEB = (b"\0http://", b"\0https://")
_STORAGE_HINT = "mount the same file system at this path on every node; for a bucket, use the same credentials and endpoint"
_INSTALL_HINT = "install the same version on every node"
_FILE_HINT = "use an absolute path, and put the file there on every node"


def with_node_admission(executor: Executor, plan: Plan, tasks: Iterable[Task | None], stack: ExitStack) -> Iterator[Task | None]:
    """Make ``executor`` check its nodes before it sends them work; return all ``tasks``, the first of which are the samples.

    Closing ``stack`` removes the probe files from DST. ``RunError`` when DST cannot be written.
    """
    stream = iter(tasks)
    first, samples = list[Task | None](), list[Task]()
    for task in stream:
        first.append(task)
        if task is None:
            break
        samples.append(task)
        if len(samples) == MAX_SAMPLES:
            break
    executor.admit_by(NodeProbe(plan, samples, stack))
    return chain(first, stream)


class NodeProbe(Probe):
    """Checks that a node sees the same SRC, DST, step files, plugins and libraries as the coordinator."""

    function = reference(answer)

    def __init__(self, plan: Plan, samples: Sequence[Task], stack: ExitStack) -> None:
        """Write the probe file to DST; closing ``stack`` removes it."""
        options, steps = plan.handler_options, list(plan.config.recipe.all_steps())
        prefix = f"{FOLDER}/admission-{options.tag}-".encode()
        self._question = ProbeQuestion(
            source=options.source,
            destination=options.destination,
            tag=options.tag,
            follow_symlinks=options.follow_symlinks,
            probe_file=prefix + secrets.token_hex(8).encode(),
            samples=tuple(_locators(samples)),
            files=tuple(dict.fromkeys(file for step in steps for file in step.files)),
            modules=tuple(dict.fromkeys(_modules(plan))),
        )
        self.options = msgspec.msgpack.encode(self._question)
        self._content = secrets.token_hex(16)
        self._storage = open_with_deadline(options.destination, tag=options.tag)
        self._own_evidence: Environment | None = None
        self._clear(prefix)
        stack.callback(self._clear, prefix)
        try:
            self._storage.write(self._question.probe_file, self._content.encode(), durable=False)
        except PixmillError as error:
            code = error.code if isinstance(error, RunError) else "not-writable"
            raise RunError(f"cannot write to DST: {error.message}", hint=error.hint, code=code) from error

    def check(self, evidence: bytes) -> None:
        """Raise ``RunError`` listing every difference between the coordinator and the node that sent ``evidence``."""
        decoded = msgspec.msgpack.decode(evidence, type=Evidence)
        problems = dict([*self._destination_problems(decoded), *self._environment_problems(decoded.environment)])
        if problems:
            raise RunError("; ".join(problems), hint="; ".join(dict.fromkeys(problems.values())))

    def _destination_problems(self, evidence: Evidence) -> Iterator[tuple[str, str]]:
        problem = f"DST {Address.parse(self._question.destination)} on the node is not that of the coordinator"
        if evidence.probe_file.error:
            yield f"{problem}: {evidence.probe_file.error}", _STORAGE_HINT
        elif evidence.probe_file.state != self._content or not self._is_reply_visible(evidence.reply):
            yield f"{problem}: a file written on one side is not visible on the other", _STORAGE_HINT

    def _is_reply_visible(self, reply: bytes) -> bool:
        """Tell whether the coordinator can read the node's file."""
        if not reply.startswith(self._question.probe_file):
            return False
        try:
            return self._storage.read(reply, limit=MAX_SAMPLE_BYTES) == self._content.encode()
        except PixmillError:
            return False

    def _environment_problems(self, theirs: Environment) -> Iterator[tuple[str, str]]:
        """Yield the differences between both environments, each with a hint."""
        question, ours = self._question, self._own_environment(theirs)
        source = f"SRC {Address.parse(question.source)}"
        if theirs.source != ours.source:
            yield f"{source} {theirs.source.error}", _STORAGE_HINT
        else:
            for difference in [*_differences(question.samples, theirs.samples, ours.samples)][:1]:
                yield f"{source} on the node is not that of the coordinator: {difference}", _STORAGE_HINT
        for difference in _differences(question.files, theirs.files, ours.files):
            yield f"a file used by a step differs from the coordinator's: {difference}", _FILE_HINT
        for difference in _differences(question.modules, theirs.modules, ours.modules):
            yield f"a Python module used by the recipe differs from the coordinator's: {difference}", _INSTALL_HINT
        names = [name for name, version in ours.libraries.items() if theirs.libraries.get(name) != version]
        if names:
            our_versions, their_versions = (", ".join(_version(name, each.libraries) for name in names) for each in (ours, theirs))
            yield f"the node has {their_versions}, the coordinator has {our_versions}: results could differ", _INSTALL_HINT

    def _own_environment(self, theirs: Environment) -> Environment:
        """Return the coordinator's environment; observed again if ``theirs`` differs, since a sample may have changed since."""
        if self._own_evidence is None or self._own_evidence != theirs:
            self._own_evidence = observe(self._question)
        return self._own_evidence

    def _clear(self, prefix: bytes) -> None:
        """Remove the probe files of this run, or of a killed one: this run holds the lock, so no other can be using them."""
        with suppress(PixmillError):
            for entries in self._storage.list(FOLDER.encode(), descend=lambda _: False, on_error=_ignore_error):
                for entry in entries:
                    if entry.path.startswith(prefix):
                        self._storage.delete(entry.path)
        local = Address.parse(self._question.destination).local
        if local is not None:
            with suppress(OSError):  # usually it holds the state and is not empty
                (local / FOLDER).rmdir()


def _locators(samples: Iterable[Task]) -> Iterator[bytes]:
    """Yield the locators of the ``samples``, except URLs of the web, which are never requested ahead of processing."""
    for item in (from_payload(task.payload) for task in samples):
        locator = item.locator or item.entry.path
        if not item.source_error and not locator.startswith(_WEB):
            yield locator


def _modules(plan: Plan) -> Iterator[str]:
    """Yield the modules that nodes need besides pixmill: those of plugins (steps, codecs, schemes) and of called functions."""
    recipe, steps = plan.config.recipe, list(plan.config.recipe.all_steps())
    ends = (Address.parse(plan.handler_options.source), Address.parse(plan.handler_options.destination))
    kinds = [*map(type, steps), *(type(rendition.encode) for rendition in recipe.renditions)]
    kinds += [schemes().get(end.scheme) for end in ends]
    yield from (kind.__module__ for kind in kinds if not kind.__module__.startswith("pixmill."))
    yield from (module for step in steps for module in step.modules)


def _differences(names: Iterable[bytes | str], theirs: Sequence[Observation], ours: Sequence[Observation]) -> Iterator[str]:
    """Yield the differences between a node's observations and the coordinator's, ignoring what the coordinator cannot see."""
    for name, their, our in zip(names, theirs, ours, strict=True):
        if their != our and not our.error:
            quoted = printable(name.lstrip(b"\0") if isinstance(name, bytes) else name)
            yield f"{quoted} {their.error}" if their.error == MISSING else f"{quoted}: {their.error or 'it differs'}"


def _version(name: str, versions: dict[str, str]) -> str:
    return f"{name} {versions[name]}" if versions.get(name) else f"no {name}"


def _ignore_error(path: bytes, error: ReadError) -> None:
    """Do nothing: a folder that cannot be listed needs no cleanup."""
