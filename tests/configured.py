"""Gateway configurations out of a few lines of YAML."""

from pathlib import Path
from textwrap import dedent, indent

from tollhouse.gateway.configuration.configuration import Configuration
from tollhouse.gateway.configuration.loading import load_configuration

PROVIDER = "p: {kind: openai_compatible, base_url: 'http://127.0.0.1:9/v1'}"
MINIMAL = f"providers: {{{PROVIDER}}}\nendpoints: {{e: {{destinations: [{{provider: p}}]}}}}\n"


def gateway_file(folder: Path, gateway: str) -> Path:
    """A settings file whose ``gateway:`` section, which begins on line 2, holds the lines of ``gateway``."""
    file = folder / "tollhouse.yml"
    file.write_text("gateway:\n" + indent(dedent(gateway), "  "))
    return file


def configured(folder: Path, gateway: str) -> Configuration:
    """The configuration of such a file."""
    return load_configuration(gateway_file(folder, gateway))


def with_endpoints(folder: Path, endpoints: str) -> Configuration:
    """Endpoints over two providers, ``p`` and ``q``."""
    providers = f"providers:\n  {PROVIDER}\n  {PROVIDER.replace('p:', 'q:', 1)}\nendpoints:\n"
    return configured(folder, providers + indent(dedent(endpoints), "  "))
