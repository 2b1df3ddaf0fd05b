"""What the files of the AWS tools say: keys, region and endpoint of a profile. The environment goes before them."""

import configparser
from collections.abc import Mapping
from pathlib import Path

from pixmill.core.errors import AddressError

# what only a program of AWS can turn into keys
_FOREIGN = ("sso_session", "sso_start_url", "role_arn", "credential_process", "login_session")
_KEYS = {"aws_access_key_id": "access_key_id", "aws_secret_access_key": "secret_access_key", "aws_session_token": "session_token"}


def aws_profile(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return obstore's settings for the profile that is asked for, without those that the environment holds already.

    ``AddressError`` when a profile is named that is not there, or whose keys only the AWS tools can make.
    """
    name = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE") or "default"
    keys = _section(Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws/credentials"), name)
    rest = _section(Path(environment.get("AWS_CONFIG_FILE") or home / ".aws/config"), name, f"profile {name}")
    if name != "default" and not keys and not rest:
        raise AddressError(f"there is no AWS profile '{name}'", hint="see: aws configure list-profiles")
    found = {setting: value for written, setting in _KEYS.items() if (value := keys.get(written) or rest.get(written))}
    if "AWS_ACCESS_KEY_ID" in environment:
        found = {}
    elif not found and name != "default" and any(each in rest for each in _FOREIGN):
        hint = f'eval "$(aws configure export-credentials --profile {name} --format env)"'
        raise AddressError(f"the keys of the AWS profile '{name}' are made by the AWS tools, and have to be exported", hint=hint)
    if region := _missing(environment, rest.get("region"), "AWS_REGION", "AWS_DEFAULT_REGION"):
        found["region"] = region
    if endpoint := _missing(environment, rest.get("endpoint_url"), "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_ENDPOINT_URL_S3"):
        found["endpoint"] = endpoint
    return found


def _missing(environment: Mapping[str, str], value: str | None, *variables: str) -> str | None:
    return None if any(environment.get(variable) for variable in variables) else value


def _section(path: Path, *names: str) -> Mapping[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, "utf-8")
    except (configparser.Error, UnicodeDecodeError):
        raise AddressError(f"the file {path.name} of the AWS tools cannot be understood") from None  # its lines may hold keys
    return next((dict(parser[name]) for name in names if parser.has_section(name)), {})
