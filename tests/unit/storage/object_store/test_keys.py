from hypothesis import given
from hypothesis import strategies as st

from pixmill.storage.object_store.keys import key_of, path_of

PIECES = [b"%", b"%25", b"0A", b"%0A", b"%00E4", b"\n", b"\x7f", b"\xe4", "ä".encode(), b"100%", b"%20", b"/", b"x", b"25"]
paths = st.lists(st.sampled_from(PIECES) | st.binary(max_size=3)).map(b"".join).map(lambda path: path.replace(b"\0", b""))
keys = st.text(st.characters(min_codepoint=0x20, exclude_characters="\x7f", exclude_categories=["Cs"])) | st.lists(
    st.sampled_from(["%", "25", "0A", "%0A", "%2525", "ä", "%C3%A4", "00", "x"])
).map("".join)


@given(paths)
def test_a_path_comes_back_from_its_key(path):
    assert path_of(key_of(path)) == path


@given(paths)
def test_a_key_has_no_control_characters(path):
    assert key_of(path).encode().translate(None, bytes(range(32)) + b"\x7f") == key_of(path).encode()


@given(keys)
def test_a_key_that_others_wrote_is_found_again(key):
    assert key_of(path_of(key)) == key


def test_names_as_they_are_everywhere_stay_what_they_are():
    for name in ("a b.jpg", "100%.jpg", "a%20b.jpg", "caf\u00e9.jpg", "a?b#c&d=e+f.jpg"):
        assert key_of(name.encode()) == name
