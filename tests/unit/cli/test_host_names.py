"""What a container says, in the words of its host."""

import pytest

from pixmill.cli.host_names import EXPLANATION, HostNames

COMPOSE = {
    "INPUT_DIR": "/data/input",
    "OUTPUT_DIR": "/data/output",
    "HOST_INPUT_DIR": "./data/input",
    "HOST_OUTPUT_DIR": "/home/me/my pictures",
    "HOST_COMMAND": "docker compose run --rm pixmill",
}
ON_HOST = "docker compose run --rm pixmill"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("no images found in /data/input (0 other files)", "no images found in ./data/input (0 other files)"),
        ("the report: /data/output/.pixmill/report.html", "the report: '/home/me/my pictures/.pixmill/report.html'"),
        (f"sudo chown -R 1:1 /data/output{EXPLANATION}, or", "sudo chown -R 1:1 '/home/me/my pictures', or"),
        ("it is in /data/input.", "it is in ./data/input."),
        (
            "another is /data/inputs or x/data/input or /data/input.old",
            "another is /data/inputs or x/data/input or /data/input.old",
        ),
        ("a.jpg: decode: the JPEG is damaged", "a.jpg: decode: the JPEG is damaged"),
    ],
)
def test_folders_have_the_names_of_the_host(said, wanted):
    assert HostNames(COMPOSE).translated(said) == wanted


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("To retry them:        pixmill retry /data/output", f"To retry them:        {ON_HOST} retry"),
        ("2 failed (see pixmill failures DST)", f"2 failed (see {ON_HOST} failures)"),
        ("move it away, then run: pixmill retry DST; or add x", f"move it away, then run: {ON_HOST} retry; or add x"),
        ("pixmill retry /data/output --max-pixels 500MP", f"{ON_HOST} retry --max-pixels 500MP"),
        ("pixmill retry --state /tmp/s /data/output --force", f"{ON_HOST} retry --state /tmp/s --force"),
        ("pixmill run /data/input /data/output --force", f"{ON_HOST} run /data/input /data/output --force"),
        ("pixmill failures /data/output/web", f"{ON_HOST} failures /data/output/web"),
        ("no pixmill run found in /data/input", "no pixmill run found in ./data/input"),
        ("  pixmill retry out --code timeout", "  pixmill retry out --code timeout"),
        ("pixmill: interrupted", "pixmill: interrupted"),
    ],
)
def test_commands_are_typed_as_on_the_host(said, wanted):
    assert HostNames(COMPOSE).translated(said) == wanted


def test_what_is_installed_or_set_belongs_into_files_of_the_host():
    translated = HostNames(COMPOSE).translated
    assert translated('or run as its owner: user: "7:8"') == "or run as its owner: UID=7 and GID=8 in .env"
    assert "docker/requirements-image.txt" in translated("pip install 'pixmill[parquet]'")


def test_a_process_in_another_container_is_stopped_through_that_container():
    said = "another run is writing to /data/input (process 7 on 433072fbab1e, since noon)"
    wanted = "another run is writing to ./data/input (process 7 on 433072fbab1e; to stop it: docker stop 433072fbab1e, since noon)"
    assert HostNames(COMPOSE).translated(said) == wanted


@pytest.mark.parametrize("environment", [{}, {"INPUT_DIR": "/data/input", "OUTPUT_DIR": "/data/output"}])
def test_elsewhere_nothing_is_changed(environment):
    said = f"/data/output{EXPLANATION}: pixmill retry /data/output (process 7 on 433072fbab1e)"
    assert HostNames(environment).translated(said) == said
