"""Flags override environment variables, which override the file."""

import pytest


@pytest.fixture
def width(sizes_in):
    return lambda folder: {width for width, _ in sizes_in(folder).values()}


def test_each_layer_covers_the_one_below(pixmill, photos, width, tmp_path):
    (tmp_path / "job.toml").write_text("size = '40x'\nformat = 'png'\nprogress = 'none'\n")
    from_file = pixmill("run", photos, "a", "--config", "job.toml")
    from_variable = pixmill("run", photos, "b", "--config", "job.toml", env={"PIXMILL_SIZE": "30x"})
    from_flag = pixmill("run", photos, "c", "--config", "job.toml", "--size", "20x", env={"PIXMILL_SIZE": "30x"})
    assert [result.returncode for result in (from_file, from_variable, from_flag)] == [0, 0, 0]
    assert [width(name) for name in "abc"] == [{40}, {30}, {20}]
    assert len(list((tmp_path / "c").glob("*.png"))) == 4
    assert "DONE" not in from_file.stderr


def test_a_switch_that_a_file_turned_on_can_be_turned_off(pixmill, photos, tmp_path):
    (tmp_path / "job.toml").write_text("quiet = true\n")
    assert pixmill("run", photos, "a", "--config", "job.toml").stderr == ""
    assert "found" in pixmill("run", photos, "a", "--config", "job.toml", "--no-quiet").stderr


def test_the_file_can_be_named_by_a_variable_and_can_name_the_folders(pixmill, photos, width, tmp_path):
    (tmp_path / "job.toml").write_text(f"source = '{photos.name}'\ndestination = 'made'\nsize = 10\n")
    assert pixmill("run", env={"PIXMILL_CONFIG": "job.toml"}).returncode == 0
    assert width("made") == {10}


def test_variables_name_the_folders_where_the_words_do_not(pixmill, photos, width):
    variables = {"INPUT_DIR": str(photos), "OUTPUT_DIR": "from-variable"}
    assert pixmill("run", env=variables).returncode == 0
    assert pixmill("run", photos, "from-word", env=variables).returncode == 0
    assert pixmill("status", env=variables).returncode == 0
    assert len(width("from-variable")) == len(width("from-word")) == 1


def test_a_recipe_can_be_a_table_of_the_file_or_a_file_beside_it(pixmill, photos, width, tmp_path):
    steps = "steps = [{operation = 'resize', width = 12}, {operation = 'flip'}]\n"
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "small.toml").write_text(steps)
    (tmp_path / "jobs" / "named.toml").write_text("recipe = 'small.toml'\n")
    (tmp_path / "table.toml").write_text(f"[recipe]\n{steps}")
    assert pixmill("run", photos, "a", "--config", "jobs/named.toml").returncode == 0
    assert pixmill("run", photos, "b", "--config", "table.toml").returncode == 0
    assert pixmill("run", photos, "c", "--recipe", "jobs/small.toml", "--size", "14x").returncode == 0
    assert [width(name) for name in "abc"] == [{12}, {12}, {14}]


def test_lists_are_repeated_flags_lines_of_a_variable_or_a_toml_list(pixmill, photos, tmp_path):
    (tmp_path / "job.toml").write_text("include = ['p0.jpg', 'p1.jpg']\n")
    assert pixmill("run", photos, "flags", "--include", "p0.jpg", "--include", "p1.jpg").returncode == 0
    assert pixmill("run", photos, "variable", env={"PIXMILL_INCLUDE": "p0.jpg\np1.jpg"}).returncode == 0
    assert pixmill("run", photos, "file", "--config", "job.toml").returncode == 0
    for name in ("flags", "variable", "file"):
        assert sorted(path.name for path in (tmp_path / name).glob("*.jpg")) == ["p0.jpg", "p1.jpg"]


def test_an_option_of_another_command_does_not_stop_this_one(pixmill, photos):
    assert pixmill("run", photos, "out").returncode == 0
    assert pixmill("status", "out", env={"PIXMILL_TIMEOUT": "5m", "PIXMILL_CODE": "x"}).returncode == 0
