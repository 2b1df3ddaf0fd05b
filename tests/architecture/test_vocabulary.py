"""The code and its documents use the usual words of the field, not private metaphors.

A word of ``METAPHORS`` must not be written at all: not as part of a name, not in a docstring, comment or string of the code,
and not in a page of the documents. A word of ``VAGUE`` must not be part of a name, because it does not say what it names;
sentences may use it. Names and texts are split into words at underscores and capitals. Decision 23 says how the words were
chosen, and docs/glossary.md has the words in use. Decisions and the fragments in changes/ are not checked, since they describe
how things were before.
"""

import ast
import io
import re
import tokenize
from fnmatch import fnmatch
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "src" / "pixmill"
CODE = sorted(SOURCE.rglob("*.py"))
PAGES = [*sorted((REPOSITORY / "docs").glob("*.md")), REPOSITORY / "README.md"]


def words(text):
    """Return the words of a name or text in lower case, split at underscores and capitals."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)]


#: images for things that have a name of their own: nobody can look them up. First processes, then commits, clusters, reports and
#: datasets; last, words that only a translation would use.
METAPHORS = set(
    words("""
    nursery nurseries beacon beacons crew crews errand errands hermit hermits beget begets begotten stillborn bury buries
    buried burial mourn mourned mourns mourning innocents secluded seclusion lonely clapper
    settler unsettled lookahead
    fleet fleets muster roster letterbox casualty casualties desertion farewell goodbye
    dossier dossiers shelf shelves studio sortable midwife hearse heirs
    patiently anew whoever whomever
    """)
)
#: names that leave open what they name
VAGUE = set(
    words("""
    told said heard hear obey asking showing trying lasting standing holding brought conduct elsewhere anywhere unheard
    undecodable letter letters verdict recruit birth births born strike strikes doze blink overslept glance patience headstart
    prelude misbehaviour engagement dismissal dismissed site station greet knock forgive stragglers surroundings settle
    settled settling keeper succession complain complaint witness guard board album gallery survey forecast rehearsal occasion
    alarm findings spending draft drafts spot dress rivals mood hopeless likeness
    """)
)
#: several words that say something only together
PHRASES = (
    "for want of",
    "laid by",
    "lay by",
    "lays by",
    "sent home",
    "what it is at",
    "what they are at",
    "what the workers are at",
)
#: words of the field that sound private, and are kept
KEPT = set(
    words("""
    coordinator worker ledger attempt culprit lease heartbeat shard seal staging catalogue backlog admission bucket window
    grace spill run recipe rendition gravity arrivals detector poison jitter scrape exposition
    """)
)
#: where a banned word of a name stays (path below the repository, word), and why
ALLOWED = {
    ("src/pixmill/batch/watch/*", "settle"): "the option --settle, which users know",
    ("src/pixmill/cli/args/values.py", "letter"): "the letter of a short option",
    ("src/pixmill/engine/forkserver/spawn.py", "site"): "sys.flags.no_user_site",
    ("src/pixmill/imaging/pipeline/turbo_encode.py", "guard"): "typing.TypeGuard",
}


def names(tree):
    """Yield the line and text of every name that the module defines or uses."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.lineno, node.name
            case ast.Name():
                yield node.lineno, node.id
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Attribute():
                yield node.lineno, node.attr
            case ast.keyword() if node.arg:
                yield node.value.lineno, node.arg
            case ast.alias():
                yield node.lineno, node.asname or node.name
            case ast.ExceptHandler() if node.name:
                yield node.lineno, node.name
            case ast.MatchAs() | ast.MatchStar() if node.name:
                yield node.lineno, node.name


def texts(source):
    """Yield the number and text of every line of a string or comment."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from enumerate(node.value.splitlines(), node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def hits(path, lines, banned):
    """Yield ``path:line: word`` for each of the ``banned`` words and phrases among the numbered ``lines`` of ``path``."""
    name = path.relative_to(REPOSITORY).as_posix()
    found = {(line, word) for line, text in lines for word in banned_in(text, banned)}
    yield from (f"{name}:{line}: {word}" for line, word in sorted(found) if not is_allowed(name, word))


def banned_in(text, banned):
    """Return the ``banned`` words of a name or text, and the phrases of a text."""
    return banned.intersection(words(text)) | {phrase for phrase in PHRASES if phrase in text.lower()}


def is_allowed(name, word):
    return any(fnmatch(name, pattern) and word == allowed for pattern, allowed in ALLOWED)


def in_names():
    for path in CODE:
        module = (1, path.parent.name if path.name == "__init__.py" else path.stem)
        yield from hits(path, [module, *names(ast.parse(path.read_text()))], METAPHORS | VAGUE)


def in_texts():
    for path in CODE:
        yield from hits(path, texts(path.read_text()), METAPHORS)


def in_pages():
    for path in PAGES:
        yield from hits(path, enumerate(path.read_text().splitlines(), 1), METAPHORS)


@pytest.mark.parametrize("find", [in_names, in_texts, in_pages])
def test_no_private_word_is_left(find):
    found = list(find())
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(("pattern", "word"), ALLOWED)
def test_what_is_allowed_is_there(pattern, word):
    paths = [path for path in CODE if fnmatch(path.relative_to(REPOSITORY).as_posix(), pattern)]
    assert any(word in words(name) for path in paths for _, name in names(ast.parse(path.read_text())))


def test_no_word_is_banned_and_kept():
    assert KEPT.isdisjoint(METAPHORS | VAGUE)


def test_names_are_split_into_words():
    assert words("HTTPServer_open2") == ["http", "server", "open"]
    assert words("_RosterOfNodes") == ["roster", "of", "nodes"]


def test_a_private_word_is_found_wherever_it_is_written():
    source = 'def beget(crew, *, hermit=1):\n    """Bury it."""\n    x.roster = f"{crew} for want of"  # anew\n'
    assert {word for _, name in names(ast.parse(source)) for word in banned_in(name, METAPHORS)} == {
        "beget",
        "crew",
        "hermit",
        "roster",
    }
    assert {word for _, text in texts(source) for word in banned_in(text, METAPHORS)} == {"bury", "for want of", "anew"}
