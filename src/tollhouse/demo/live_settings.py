"""The part of the demo's settings that makes a gateway of it, in front of the simulated providers."""

import os
import secrets
from pathlib import Path

PROVIDER_KEY_FILE = "provider-key"
_SECTION = """\
gateway:
  listen: {{port: 0}} # a free one
  admin: {{port: 0}}
  providers: # `tollhouse serve simulated --port {port}` plays them all
    openai: {{kind: openai, base_url: "{url}/v1", credential: {{file: {key}}}}}
    anthropic: {{kind: anthropic, base_url: "{url}/v1", credential: {{file: {key}}}}}
    google: {{kind: gemini, base_url: "{url}/v1beta", credential: {{file: {key}}}}}
    busy: {{kind: openai, base_url: "{url}/behave/status=429/v1", credential: {{file: {key}}}}}
  endpoints:
    claude-sonnet:
      tags: {{tier: frontier}}
      destinations: [{{provider: anthropic, model: claude-sonnet-5-5}}]
    claude-haiku:
      destinations: [{{provider: anthropic, model: claude-haiku-5-5}}]
    gpt-6.1-sol:
      tags: {{tier: frontier}}
      destinations: [{{provider: openai, model: gpt-6.1-sol}}]
    gpt-5.5:
      tags: {{tier: frontier}}
      destinations: [{{provider: openai, model: gpt-5.5}}]
    gpt-5-mini: # always falls back: its first destination answers 429 to everything
      destinations: [{{provider: busy, model: gpt-5-mini}}]
      fallbacks: [{{provider: openai, model: gpt-5-mini}}]
      retries: {{attempts: 0}}
      cooldown: {{seconds: 0}}
    gemini-flash:
      destinations: [{{provider: google, model: gemini-3.8-flash}}]
    embeddings-small:
      destinations: [{{provider: openai, model: text-embedding-3-small}}]
"""


def write_gateway(settings_file: Path, upstream: str) -> None:
    """Put `gateway:` into the demo's settings, its providers at the URL ``upstream``, and their key beside it."""
    key_file = settings_file.parent / PROVIDER_KEY_FILE
    key_file.unlink(missing_ok=True)
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"sk-simulated-{secrets.token_hex(16)}\n")
    section = _SECTION.format(url=upstream, port=upstream.rpartition(":")[2], key=PROVIDER_KEY_FILE)
    before, _, _ = settings_file.read_text().partition("\ngateway:")
    settings_file.write_text(f"{before}\n{section}")
