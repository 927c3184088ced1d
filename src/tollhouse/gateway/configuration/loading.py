"""Reading the settings file as the gateway's configuration; all its faults at once."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml
from msgspec import inspect

from tollhouse.errors import SettingsError
from tollhouse.gateway.configuration.checking import INVALID, Checker
from tollhouse.gateway.configuration.configuration import PEPPER, Configuration, Origin, compile_configuration
from tollhouse.gateway.configuration.document import Gateway
from tollhouse.gateway.configuration.endpoint_rules import EndpointRules
from tollhouse.gateway.configuration.findings import ConfigurationError, Finding, Findings
from tollhouse.gateway.configuration.places import Places, compose, line_of
from tollhouse.gateway.configuration.provider_rules import ProviderRules, Secrets
from tollhouse.gateway.configuration.server_rules import ServerRules
from tollhouse.gateway.configuration.shapes import allowed
from tollhouse.settings import Settings, parse_settings

_GATEWAY = inspect.type_info(Gateway)
_SETTINGS = inspect.type_info(Settings)


class _Checked(NamedTuple):
    document: Gateway
    secrets: Secrets


def load_configuration(settings_path: Path | str) -> Configuration:
    """The configuration of that settings file; relative paths in it are relative to its folder.

    Raises ConfigurationError, which holds every fault, and SettingsError for one of the other settings.
    """
    file = Path(settings_path).absolute()
    text = _read(file)
    checked = _check(text, file)
    settings = parse_settings(text, file)
    return compile_configuration(checked.document, checked.secrets, _origin(file, settings, checked.document))


def watched_files(file: Path, document: Gateway) -> tuple[Path, ...]:
    """``file`` and the files that hold its secrets, each once."""
    sources = [provider.credential for provider in document.providers.values()]
    named = [source.file for source in (*sources, document.identity.pepper) if source and source.file]
    return (file, *sorted({file.parent / name for name in named}))


def _origin(file: Path, settings: Settings, document: Gateway) -> Origin:
    return Origin(file, watched_files(file, document), settings.spool_dir, settings.state_dir)


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(file, [Finding(line, (), "bytes that are not UTF-8", "text in UTF-8")]) from None


def _check(text: str, file: Path) -> _Checked:
    root = compose(text, file)
    findings = Findings()
    places = Places()
    checker = Checker(places, findings)
    document = _document(root, checker, places, findings)
    secrets = _keep_rules(document, places, findings, file) if isinstance(document, Gateway) else {}
    if root is not None:
        checker.check(root, _SETTINGS, ())
    if not isinstance(document, Gateway):
        raise ConfigurationError(file, findings.all())
    if findings.all():
        raise ConfigurationError(file, findings.all(), watched_files(file, document))
    return _Checked(document, secrets)


def _document(root: yaml.Node | None, checker: Checker, places: Places, findings: Findings) -> Any:
    if isinstance(root, yaml.MappingNode):
        for key, value in root.value:
            if key.value == "gateway":
                places.add(("gateway",), line_of(key))
                return checker.check(value, _GATEWAY, ("gateway",))
    findings.add(1, ("gateway",), "nothing", allowed(_GATEWAY))
    return INVALID


def _keep_rules(document: Gateway, places: Places, findings: Findings, file: Path) -> Secrets:
    """Notes what breaks a rule; returns the secrets that could be read."""
    server = ServerRules(places, findings)
    server.check(document)
    providers = ProviderRules(places, findings, file.parent)
    for provider in document.providers.values():
        providers.check(provider)
    if document.identity.pepper is not None:
        pepper = providers.read(document.identity.pepper, PEPPER)
        if pepper is not None:
            server.check_pepper(pepper)
    endpoints = EndpointRules(places, findings)
    for name, endpoint in document.endpoints.items():
        endpoints.check(name, endpoint)
    endpoints.check_permissions(document)
    return providers.secrets
