"""Read keys, region and endpoint of a profile from the files of the AWS tools. The environment takes precedence over them."""

import configparser
from collections.abc import Mapping
from pathlib import Path

from pixmill.core.errors import AddressError

# settings that only the AWS tools can turn into keys
_AWS_TOOLS_ONLY = ("sso_session", "sso_start_url", "role_arn", "credential_process", "login_session")
_KEYS = {"aws_access_key_id": "access_key_id", "aws_secret_access_key": "secret_access_key", "aws_session_token": "session_token"}


def aws_profile(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return obstore's settings for the selected profile, without those that the environment sets already.

    ``AddressError`` if the named profile does not exist, or if only the AWS tools can obtain its keys.
    """
    name = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE") or "default"
    keys = _section(Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws/credentials"), name)
    config = _section(Path(environment.get("AWS_CONFIG_FILE") or home / ".aws/config"), name, f"profile {name}")
    if name != "default" and not keys and not config:
        raise AddressError(f"there is no AWS profile '{name}'", hint="list the profiles with: aws configure list-profiles")
    settings = {setting: value for written, setting in _KEYS.items() if (value := keys.get(written) or config.get(written))}
    if "AWS_ACCESS_KEY_ID" in environment:
        settings = {}
    elif not settings and name != "default" and any(each in config for each in _AWS_TOOLS_ONLY):
        hint = f'eval "$(aws configure export-credentials --profile {name} --format env)"'
        raise AddressError(f"only the AWS tools can obtain the keys of the AWS profile '{name}': export them first", hint=hint)
    if region := _unless_set(environment, config.get("region"), "AWS_REGION", "AWS_DEFAULT_REGION"):
        settings["region"] = region
    if endpoint := _unless_set(environment, config.get("endpoint_url"), "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_ENDPOINT_URL_S3"):
        settings["endpoint"] = endpoint
    return settings


def _unless_set(environment: Mapping[str, str], value: str | None, *variables: str) -> str | None:
    return None if any(environment.get(variable) for variable in variables) else value


def _section(path: Path, *names: str) -> Mapping[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, "utf-8")
    except (configparser.Error, UnicodeDecodeError):
        # no line of the file is quoted: it may contain keys
        hint = "correct its syntax; the lines are not shown because they may contain keys"
        raise AddressError(f"the file {path.name} of the AWS tools cannot be parsed", hint=hint) from None
    return next((dict(parser[name]) for name in names if parser.has_section(name)), {})
