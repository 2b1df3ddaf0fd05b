"""The files that say what to do: a change counts once it is over."""

from pixmill.batch.watch.config_files import ConfigFileWatcher


def test_a_change_is_told_of_once_and_only_when_it_is_over(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("a")
    files = ConfigFileWatcher([recipe])
    assert not files.have_changed()
    recipe.write_text("ab")
    assert not files.have_changed()
    recipe.write_text("abc")
    assert not files.have_changed()
    assert files.have_changed()
    assert not files.have_changed()


def test_a_file_that_is_replaced_or_removed_has_changed(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("a")
    files = ConfigFileWatcher([recipe])
    recipe.unlink()
    files.have_changed()
    assert files.have_changed()
