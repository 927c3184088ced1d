"""What is wrong with a settings file: each fault with its line, its path, what was found and what is allowed."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tollhouse.errors import SettingsError

YamlPath = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_*@:/+-]{1,100}")
_CREDENTIAL = re.compile(
    r"\b(?:sk|rk|pk|gsk|xai|hf|ghp|gho|ghs|glpat|pplx|nvapi|key)[-_][A-Za-z0-9_-]{16,}"
    r"|AIza[A-Za-z0-9_-]{30,}|(?:AKIA|ASIA)[A-Z0-9]{16}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|(?:Bearer|Basic)\s+\S{8,}|-----BEGIN "
)
_LONGEST_SHOWN = 60


class Finding(NamedTuple):
    """One fault; ``line`` counts from 1, ``found`` never holds a secret."""

    line: int
    path: YamlPath
    found: str
    allowed: str

    def text(self, file: Path) -> str:
        return f"{file}:{self.line}: {dotted(self.path)}: found {self.found}; allowed: {self.allowed}"


class ConfigurationError(SettingsError):
    """A settings file that the gateway cannot use; ``findings`` are all its faults, in the order of the file.

    ``watched``: further files that it depends on, a change of which may mend it.
    """

    def __init__(self, file: Path, findings: Sequence[Finding], watched: Sequence[Path] = ()) -> None:
        self.file = file
        self.watched = tuple(watched)
        self.findings = tuple(sorted(findings, key=lambda finding: finding.line))
        lines = [finding.text(file) for finding in self.findings]
        super().__init__("\n".join(lines), hint="docs/gateway-configuration.md lists every key and its values")


class Findings:
    """Faults as they are found: one a path, since what follows from a first fault is none of its own."""

    def __init__(self) -> None:
        self._by_path: dict[YamlPath, Finding] = {}

    def add(self, line: int, path: YamlPath, found: str, allowed: str) -> None:
        self._by_path.setdefault(path, Finding(line, path, found, allowed))

    def are_under(self, path: YamlPath) -> bool:
        """Whether there is a fault at ``path`` or below."""
        return any(known[: len(path)] == path for known in self._by_path)

    def all(self) -> list[Finding]:
        return list(self._by_path.values())


def looks_like_credential(text: str) -> bool:
    """Whether ``text`` has the form of a provider's key, a token or a private key."""
    return _CREDENTIAL.search(text) is not None


def shown(text: str) -> str:
    """``text`` as a message may show it: quoted, cut, without control characters, and no credential."""
    if looks_like_credential(text):
        return "what looks like a credential"
    cut = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return repr(cut)


def dotted(path: YamlPath) -> str:
    """``gateway.endpoints."gpt-5.5".destinations[0]``; the whole file is ``the file``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{_key(step)}"
    return text.removeprefix(".") or "the file"


def _key(step: str) -> str:
    if looks_like_credential(step):
        return '"…"'
    if _PLAIN_KEY.fullmatch(step):
        return step
    return '"' + repr(step[:_LONGEST_SHOWN])[1:-1] + '"'
