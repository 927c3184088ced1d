"""Every fault: what stands in the file, and the one line that says so."""

from pathlib import Path
from typing import NamedTuple

import pytest
from configured import MINIMAL, gateway_file

from tollhouse.gateway.configuration.findings import ConfigurationError
from tollhouse.gateway.configuration.loading import load_configuration

CANARY = "sk-proj-canary0123456789abcdefghijklmnop"
URL = "an http or https URL of host, port and path only, without user name, query or fragment"
SOURCE = "{env: NAME} or {file: PATH}, never the secret itself"
NO_SECRET = f"no secret in this file; a credential is given as {SOURCE}"
TEXT = "text of 1 to 1024 characters"
FILE = "a readable file of at most 65536 bytes, relative to {folder}"
ENV_SET = "an environment variable that is set and not empty"
ENDPOINTS = "\nendpoints: {e: {destinations: [{provider: p}]}}"
P = "p: {kind: openai_compatible, base_url: http://127.0.0.1:9}"


class Fault(NamedTuple):
    """``gateway`` begins on line 2 of the file; {folder} in ``message`` is the file's."""

    gateway: str
    message: str


def provider(more: str) -> str:
    return f"providers: {{p: {{kind: openai_compatible, base_url: http://127.0.0.1:9, {more}}}}}{ENDPOINTS}"


def endpoint(more: str) -> str:
    return f"providers: {{{P}}}\nendpoints:\n  e:\n    destinations: [{{provider: p}}]\n    {more}"


def destinations(text: str) -> str:
    return f"providers: {{{P}}}\nendpoints:\n  e:\n    destinations: {text}"


def server(text: str) -> str:
    return f"{text}\n{MINIMAL}"


HERE = "2: gateway.providers.p"
THERE = "6: gateway.endpoints.e"
TYPES = {
    "an unknown key": Fault(
        server("limits: {request_byte: 1}"),
        "2: gateway.limits.request_byte: found an unknown key; allowed: request_bytes, request_seconds, header_bytes, "
        "event_bytes, response_bytes or decoded_ratio",
    ),
    "a key twice": Fault(
        server("workers: 1\nworkers: 2"),
        "3: gateway.workers: found the key again, first on line 2; allowed: each key once in a mapping",
    ),
    "a name twice": Fault(
        f"providers: {{{P}}}\nendpoints:\n  e: {{destinations: [{{provider: p}}]}}\n  e: {{destinations: []}}",
        "5: gateway.endpoints.e: found the key again, first on line 4; allowed: each key once in a mapping",
    ),
    "text for a mapping": Fault(
        server("listen: here"), "2: gateway.listen: found a text in its place; allowed: a mapping with host or port"
    ),
    "nothing for a mapping": Fault(
        server("limits:"),
        "2: gateway.limits: found nothing (null); allowed: a mapping with request_bytes, request_seconds, "
        "header_bytes, event_bytes, response_bytes or decoded_ratio",
    ),
    "a list for a number": Fault(
        server("workers: [1]"), "2: gateway.workers: found a list; allowed: a whole number from 1 to 256"
    ),
    "a mapping for a word": Fault(
        server("transport: {a: 1}"), "2: gateway.transport: found a mapping; allowed: aiohttp or sockets"
    ),
    "text for a list": Fault(
        server("trusted_proxies: 10.0.0.1"),
        "2: gateway.trusted_proxies: found a text in its place; allowed: a list, each " + TEXT,
    ),
    "a quoted number": Fault(
        server("workers: '2'"), "2: gateway.workers: found text '2'; allowed: a whole number from 1 to 256"
    ),
    "a fraction for a whole number": Fault(
        server("workers: 1.5"), "2: gateway.workers: found number 1.5; allowed: a whole number from 1 to 256"
    ),
    "a truth value for a number": Fault(
        server("workers: yes"), "2: gateway.workers: found yes; allowed: a whole number from 1 to 256"
    ),
    "too great a number": Fault(
        server("listen: {port: 65536}"),
        "2: gateway.listen.port: found number 65536; allowed: a whole number from 0 to 65535",
    ),
    "too small a number": Fault(
        server("limits: {request_seconds: 0}"),
        "2: gateway.limits.request_seconds: found number 0; allowed: a number above 0 to 86400",
    ),
    "not a number": Fault(
        server("drain_seconds: .nan"), "2: gateway.drain_seconds: found number .nan; allowed: a number from 0 to 86400"
    ),
    "endless": Fault(
        server("drain_seconds: .inf"), "2: gateway.drain_seconds: found number .inf; allowed: a number from 0 to 86400"
    ),
    "another word": Fault(
        server("log_level: loud"),
        "2: gateway.log_level: found text 'loud'; allowed: debug, error, info or warning",
    ),
    "another case": Fault(
        server("payloads: {mode: OFF}"), "2: gateway.payloads.mode: found OFF; allowed: off, on or sampled"
    ),
    "a date for a number": Fault(
        server("workers: 2024-10-21"),
        "2: gateway.workers: found date 2024-10-21; allowed: a whole number from 1 to 256",
    ),
    "a number for text": Fault(endpoint("tags: {tier: 1}"), f"{THERE}.tags.tier: found number 1; allowed: text"),
    "empty text": Fault(
        server("tracing: {service_name: ''}"), f"2: gateway.tracing.service_name: found text ''; allowed: {TEXT}"
    ),
    "a host with a space": Fault(
        server("admin: {host: a b}"),
        "2: gateway.admin.host: found text 'a b'; allowed: text of 1 to 255 characters that matches "
        "^[A-Za-z0-9._:%-]+$",
    ),
    "control characters are escaped": Fault(
        server(r'transport: "\e[31m\n"'),
        r"2: gateway.transport: found text '\x1b[31m\n'; allowed: aiohttp or sockets",
    ),
    "long text is cut": Fault(
        server(f"transport: {'a' * 99}"),
        f"2: gateway.transport: found text '{'a' * 60}…'; allowed: aiohttp or sockets",
    ),
    "no providers": Fault(
        "providers: {}\nendpoints: {e: {destinations: [{provider: p}]}}",
        "2: gateway.providers: found an empty mapping; allowed: a mapping of names, each with a mapping with kind, "
        "base_url, credential, headers, protocols, api_version or prices_as",
    ),
    "no endpoints": Fault(
        f"providers: {{{P}}}",
        "1: gateway.endpoints: found nothing; allowed: a mapping of names, each with a mapping with destinations, "
        "models, tags, fallbacks, affinity, retries, timeouts, cooldown, payloads or disconnect",
    ),
}
SERVERS = {
    "one port for both": Fault(
        server("listen: {port: 9}\nadmin: {port: 9}"),
        "3: gateway.admin.port: found port 9, which gateway.listen has; allowed: another port",
    ),
    "one port at every address": Fault(
        server("listen: {host: 0.0.0.0, port: 8081}"),
        "1: gateway.admin.port: found port 8081, which gateway.listen has; allowed: another port",
    ),
    "a proxy that is no address": Fault(
        server("trusted_proxies: [10.0.0.1, proxy.local]"),
        "2: gateway.trusted_proxies[1]: found 'proxy.local'; allowed: an IP address or a network such as 10.0.0.0/8, "
        "without bits beyond its length",
    ),
    "a network with bits beyond its length": Fault(
        server("trusted_proxies: [10.0.0.1/8]"),
        "2: gateway.trusted_proxies[0]: found '10.0.0.1/8'; allowed: an IP address or a network such as 10.0.0.0/8, "
        "without bits beyond its length",
    ),
    "spans to no URL": Fault(
        server("tracing: {otlp_endpoint: collector:4318}"),
        "2: gateway.tracing.otlp_endpoint: found text that begins neither with http:// nor with https://; "
        f"allowed: {URL}",
    ),
    "a short pepper": Fault(
        server("identity: {pepper: {env: SHORT}}"),
        "2: gateway.identity.pepper: found a pepper of 5 bytes; allowed: 32 bytes or more",
    ),
    "a pepper in the file": Fault(
        server("identity: {pepper: 0123456789abcdef0123456789abcdef}"),
        f"2: gateway.identity.pepper: found a text in its place; allowed: {SOURCE}, or null",
    ),
}
URLS = {
    "no URL of its own": Fault(
        f"providers: {{p: {{kind: openai_compatible}}}}{ENDPOINTS}",
        f"{HERE}.base_url: found nothing, and openai_compatible has none of its own; allowed: {URL}",
    ),
    "no resource": Fault(
        f"providers: {{p: {{kind: azure_openai}}}}{ENDPOINTS}",
        f"{HERE}.base_url: found nothing, and azure_openai has none of its own; allowed: {URL}",
    ),
    "azure's path": Fault(
        f"providers: {{p: {{kind: azure_openai, base_url: https://a.openai.azure.com/openai/}}}}{ENDPOINTS}",
        f"{HERE}.base_url: found a URL that ends in /openai; allowed: the resource's address alone: "
        "https://NAME.openai.azure.com",
    ),
    **{
        f"url {url}": Fault(
            f"providers: {{p: {{kind: openai_compatible, base_url: {url!r}}}}}{ENDPOINTS}",
            f"{HERE}.base_url: found {found}; allowed: {URL}",
        )
        for url, found in {
            "ftp://127.0.0.1": "text that begins neither with http:// nor with https://",
            "HTTP://127.0.0.1": "text that begins neither with http:// nor with https://",
            "127.0.0.1:8000": "text that begins neither with http:// nor with https://",
            "https://me:canary@127.0.0.1/v1": "a URL with a user name or password",
            "https://canary@127.0.0.1": "a URL with a user name or password",
            "https://127.0.0.1/v1?key=canary": "a URL with a query or fragment",
            "https://127.0.0.1/v1#canary": "a URL with a query or fragment",
            "https:///v1": "a URL whose host, port or path has other characters",
            "https://127.0.0.1:/v1": "a URL whose host, port or path has other characters",
            "https://127.0.0.1:x/v1": "a URL whose host, port or path has other characters",
            "https://a b/v1": "a URL whose host, port or path has other characters",
            "https://ex\u00e4mple/v1": "a URL whose host, port or path has other characters",
            "https://127.0.0.1\\@evil": "a URL with a user name or password",
            "https://127.0.0.1/v1\\..": "a URL whose host, port or path has other characters",
            "https://127.0.0.1:0/": "a URL whose port is not between 1 and 65535",
            "https://127.0.0.1:65536/": "a URL whose port is not between 1 and 65535",
            "https://127.0.0.1/v1/../v2": "a URL whose path has . or .. in it",
            "https://127.0.0.1/%2E%2e/v2": "a URL whose path has . or .. in it",
        }.items()
    },
}
PROVIDERS = {
    "another kind": Fault(
        f"providers: {{p: {{kind: bedrock}}}}{ENDPOINTS}",
        f"{HERE}.kind: found text 'bedrock'; allowed: anthropic, azure_openai, gemini, openai or openai_compatible",
    ),
    "no kind": Fault(
        f"providers: {{p: {{base_url: http://127.0.0.1:9}}}}{ENDPOINTS}",
        f"{HERE}.kind: found nothing; allowed: anthropic, azure_openai, gemini, openai or openai_compatible",
    ),
    "a protocol of another kind": Fault(
        f"providers: {{p: {{kind: anthropic, base_url: http://127.0.0.1:9, protocols: [anthropic_messages, gemini]}}}}"
        f"{ENDPOINTS}",
        f"{HERE}.protocols[1]: found gemini, which anthropic does not speak; allowed: anthropic_messages",
    ),
    "a protocol that nobody speaks": Fault(
        provider("protocols: [grpc]"),
        f"{HERE}.protocols[0]: found text 'grpc'; allowed: anthropic_messages, gemini, openai_chat, "
        "openai_embeddings or openai_responses",
    ),
    "no protocols": Fault(
        provider("protocols: []"),
        f"{HERE}.protocols: found an empty list; allowed: a list of one or more, each anthropic_messages, gemini, "
        "openai_chat, openai_embeddings or openai_responses, or null",
    ),
    "a version where there is none": Fault(
        provider("api_version: 2024-10-21"),
        f"{HERE}.api_version: found a version for the kind openai_compatible; allowed: null; azure_openai has one",
    ),
    "a header of the connection": Fault(
        provider("headers: {Transfer-Encoding: chunked}"),
        f"{HERE}.headers.Transfer-Encoding: found a header of the connection; allowed: headers that pass from end to "
        "end; these are the gateway's own",
    ),
    "a proxy's header": Fault(
        provider("headers: {proxy-x: a}"),
        f"{HERE}.headers.proxy-x: found a header of the connection; allowed: headers that pass from end to end; these "
        "are the gateway's own",
    ),
    **{
        f"the credential's header {name}": Fault(
            provider(f"headers: {{{name}: canary}}"),
            f"{HERE}.headers.{name}: found a credential's header; allowed: headers without secrets; a provider's "
            "secret is its `credential`",
        )
        for name in ("Authorization", "x-api-key", "api-key", "x-goog-api-key", "Cookie", "X-Auth-Token", "my_secret")
    },
    "a header of the gateway": Fault(
        provider("headers: {X-Tollhouse-Tags: a}"),
        f"{HERE}.headers.X-Tollhouse-Tags: found a header of the gateway's clients; allowed: headers that the "
        "provider reads",
    ),
    "a header that is none": Fault(
        provider("headers: {'a b': c}"),
        f'{HERE}.headers."a b": found a header name with other characters; allowed: letters, digits and - in a '
        "header's name",
    ),
    "a header with a line end": Fault(
        provider(r'headers: {a: "b\r\nc: canary"}'),
        f"{HERE}.headers.a: found a value with other characters; allowed: visible ASCII characters, with spaces only "
        "between them",
    ),
    "a header twice": Fault(
        provider("headers: {X-A: b, x-a: c}"),
        f"{HERE}.headers.x-a: found the same header as X-A; allowed: each header once, whatever its case",
    ),
    "a bearer token in a header": Fault(
        provider("headers: {x-custom: Bearer canary-0123456789}"),
        f"{HERE}.headers.x-custom: found what looks like a credential; allowed: {NO_SECRET}",
    ),
}
CREDENTIALS = {
    "written out": Fault(
        provider(f"credential: {CANARY}"), f"{HERE}.credential: found a text in its place; allowed: {SOURCE}, or null"
    ),
    "a number": Fault(
        provider("credential: 123456789"),
        f"{HERE}.credential: found a number in its place; allowed: {SOURCE}, or null",
    ),
    "as a key": Fault(
        provider("credential: {canary: }"), f"{HERE}.credential: found an unknown key; allowed: env or file"
    ),
    "as a key twice": Fault(
        provider("credential: {env: SHORT, env: SHORT}"),
        f"{HERE}.credential: found the key again, first on line 2; allowed: each key once in a mapping",
    ),
    "as the name of a variable": Fault(
        provider(f"credential: {{env: {CANARY}}}"),
        f"{HERE}.credential.env: found what looks like a credential; allowed: {NO_SECRET}",
    ),
    "of another form as the name of a variable": Fault(
        provider("credential: {env: c4n4ry0123456789}"),
        f"{HERE}.credential.env: found other characters; allowed: the name of an environment variable: A-Z, 0-9 and _",
    ),
    "a number as the name of a variable": Fault(
        provider("credential: {env: 123456789}"),
        f"{HERE}.credential.env: found a number in its place; allowed: {TEXT}, or null",
    ),
    "from neither": Fault(
        provider("credential: {}"), f"{HERE}.credential: found neither env nor file; allowed: {SOURCE}"
    ),
    "from both": Fault(
        provider("credential: {env: SHORT, file: good}"),
        f"{HERE}.credential: found both env and file; allowed: {SOURCE}",
    ),
    "from a variable that is not set": Fault(
        provider("credential: {env: TOLLHOUSE_NOBODY}"),
        f"{HERE}.credential.env: found TOLLHOUSE_NOBODY, which is not set; allowed: {ENV_SET}",
    ),
    "from an empty variable": Fault(
        provider("credential: {env: BLANK}"),
        f"{HERE}.credential.env: found BLANK, which is empty; allowed: {ENV_SET}",
    ),
    "from no file": Fault(
        provider("credential: {file: canary}"),
        f"{HERE}.credential.file: found a file that cannot be read (No such file or directory); allowed: {FILE}",
    ),
    "from a folder": Fault(
        provider("credential: {file: .}"),
        f"{HERE}.credential.file: found a file that cannot be read (Is a directory); allowed: {FILE}",
    ),
    "from a name that is none": Fault(
        provider(r'credential: {file: "\0canary"}'),
        f"{HERE}.credential.file: found a file that cannot be read (no file name); allowed: {FILE}",
    ),
    "from an empty file": Fault(
        provider("credential: {file: empty}"), f"{HERE}.credential.file: found an empty file; allowed: {FILE}"
    ),
    "from a great file": Fault(
        provider("credential: {file: great}"), f"{HERE}.credential.file: found a greater file; allowed: {FILE}"
    ),
    "with a line end": Fault(
        provider("credential: {file: lines}"),
        f"{HERE}.credential: found a credential with spaces, control or other characters; allowed: visible ASCII "
        "characters",
    ),
    "none at the provider itself": Fault(
        f"providers: {{p: {{kind: openai}}}}{ENDPOINTS}",
        f"{HERE}.credential: found nothing; allowed: {SOURCE}; only a provider with a base_url of its own goes without",
    ),
    "anywhere else": Fault(
        server(f"tracing: {{service_name: {CANARY}}}"),
        f"2: gateway.tracing.service_name: found what looks like a credential; allowed: {NO_SECRET}",
    ),
    "as a name": Fault(
        endpoint(f"tags: {{{CANARY}: a}}"),
        f'{THERE}.tags."…": found what looks like a credential; allowed: {NO_SECRET}',
    ),
}
FIRST = "4: gateway.endpoints.e"
ROUTES = {
    "no destination": Fault(
        destinations("[]"),
        "5: gateway.endpoints.e.destinations: found an empty list; allowed: a list of one or more, each a mapping "
        "with provider, model, name or weight",
    ),
    "no destinations": Fault(
        f"providers: {{{P}}}\nendpoints:\n  e: {{models: [a]}}",
        f"{FIRST}.destinations: found nothing; allowed: a list of one or more, each a mapping with provider, model, "
        "name or weight",
    ),
    "a destination without provider": Fault(
        destinations("[{model: a}]"),
        f"5: gateway.endpoints.e.destinations[0].provider: found nothing; allowed: {TEXT}",
    ),
    "an unknown provider": Fault(
        destinations("[{provider: antropic}]"),
        "5: gateway.endpoints.e.destinations[0].provider: found 'antropic', which is no provider; allowed: p",
    ),
    "an unknown provider as fallback": Fault(
        endpoint("fallbacks: [{provider: p, model: a}, {provider: x}]"),
        f"{THERE}.fallbacks[1].provider: found 'x', which is no provider; allowed: p",
    ),
    "no weight": Fault(
        destinations("[{provider: p, weight: 0}]"),
        "5: gateway.endpoints.e.destinations[0].weight: found number 0; allowed: a number above 0 to 1000000",
    ),
    "a negative weight": Fault(
        destinations("[{provider: p, weight: -0.5}]"),
        "5: gateway.endpoints.e.destinations[0].weight: found number -0.5; allowed: a number above 0 to 1000000",
    ),
    "a weight of a fallback": Fault(
        endpoint("fallbacks: [{provider: p, weight: 1}]"),
        f"{THERE}.fallbacks[0].weight: found an unknown key; allowed: provider, model or name",
    ),
    "a pattern as destination": Fault(
        destinations("[{provider: p, model: gpt-*}]"),
        "5: gateway.endpoints.e.destinations[0].model: found the pattern 'gpt-*'; allowed: one model's name, or null "
        "for what the client asked for",
    ),
    "a model with a line end": Fault(
        destinations(r'[{provider: p, model: "a\nb"}]'),
        r"5: gateway.endpoints.e.destinations[0].model: found the name 'a\nb'; allowed: visible characters, without "
        "spaces",
    ),
    "a destination twice": Fault(
        destinations("[{provider: p, model: a/m}, {provider: p, model: b/m}]"),
        "5: gateway.endpoints.e.destinations[1].name: found the name p-m again; allowed: a name of its own for each "
        "destination",
    ),
    "a fallback with another's name": Fault(
        destinations("[{provider: p, model: a, name: x}]\n    fallbacks: [{provider: p, model: b, name: x}]"),
        f"{THERE}.fallbacks[0].name: found the name x, which another one of the destinations has; allowed: a name of "
        "its own",
    ),
    "a name at two endpoints": Fault(
        f"providers: {{{P}}}\nendpoints:\n  a: {{destinations: [{{provider: p}}]}}\n"
        "  b: {models: [c, a], destinations: [{provider: p}]}",
        "5: gateway.endpoints.b.models[1]: found 'a', which gateway.endpoints.a (line 4) has; allowed: each name and "
        "pattern at one endpoint, once",
    ),
    "a pattern at two endpoints": Fault(
        f"providers: {{{P}}}\nendpoints:\n  a: {{models: ['x*'], destinations: [{{provider: p}}]}}\n"
        "  b: {models: ['x**'], destinations: [{provider: p}]}",
        "5: gateway.endpoints.b.models[0]: found 'x**', which gateway.endpoints.a.models[0] (line 4) has; allowed: "
        "each name and pattern at one endpoint, once",
    ),
    "no models": Fault(
        endpoint("models: []"),
        f"{THERE}.models: found an empty list; allowed: a list of one or more, each {TEXT}, or null",
    ),
    "a model with a space": Fault(
        endpoint("models: ['a b']"),
        f"{THERE}.models[0]: found the name 'a b'; allowed: visible characters, without spaces",
    ),
    "a fault after a faulty neighbour keeps its place": Fault(
        endpoint("models:\n      - a\n      - 1\n      - 'b c'"),
        "9: gateway.endpoints.e.models[2]: found the name 'b c'; allowed: visible characters, without spaces",
    ),
    "an endpoint without name": Fault(
        f"providers: {{{P}}}\nendpoints:\n  '': {{destinations: [{{provider: p}}]}}",
        "4: gateway.endpoints.\"\": found the name ''; allowed: visible characters, without spaces",
    ),
    "a name with a dot is quoted": Fault(
        f"providers: {{{P}}}\nendpoints:\n  gpt-5.5: {{destinations: [{{provider: x}}]}}",
        "4: gateway.endpoints.\"gpt-5.5\".destinations[0].provider: found 'x', which is no provider; allowed: p",
    ),
    "a first wait beyond the longest": Fault(
        endpoint("retries: {base_ms: 100, max_ms: 99}"),
        f"{THERE}.retries.base_ms: found 100; allowed: at most max_ms, 99",
    ),
    "a permission for nobody": Fault(
        server("permissions: [{groups: []}]"),
        f"2: gateway.permissions[0].groups: found an empty list; allowed: a list of one or more, each {TEXT}",
    ),
    "a permission without groups": Fault(
        server("permissions: [{models: [a]}]"),
        f"2: gateway.permissions[0].groups: found nothing; allowed: a list of one or more, each {TEXT}",
    ),
    "a permission for no endpoint": Fault(
        server("permissions: [{groups: ['*'], endpoints: [e, f-*]}]"),
        "2: gateway.permissions[0].endpoints[1]: found 'f-*', which is no endpoint; allowed: * or e",
    ),
}
FAULTS = TYPES | SERVERS | URLS | PROVIDERS | CREDENTIALS | ROUTES


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHORT", "12345")
    monkeypatch.setenv("BLANK", " \n")
    monkeypatch.delenv("TOLLHOUSE_NOBODY", raising=False)
    (tmp_path / "good").write_text("canary-0123456789abcdef\n")
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "great").write_text("canary" * 11_000)
    (tmp_path / "lines").write_text("canary\ncanary")
    return tmp_path


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_says_line_path_found_and_allowed(folder: Path, fault: Fault) -> None:
    file = gateway_file(folder, fault.gateway + "\n")

    with pytest.raises(ConfigurationError) as raised:
        load_configuration(file)
    said = str(raised.value).splitlines()

    assert f"{file}:{fault.message.replace('{folder}', str(folder))}" in said
    assert said[-1] == "  → docs/gateway-configuration.md lists every key and its values"
    assert "canary" not in "\n".join(said).replace("gateway.providers.p.headers", "")


def test_the_faults_are_each_the_only_one_of_its_file(folder: Path) -> None:
    several = {"a fault after a faulty neighbour keeps its place", "a name twice", "as a key twice"}
    more: dict[str, list[str]] = {}
    for name, fault in FAULTS.items():
        with pytest.raises(ConfigurationError) as raised:
            load_configuration(gateway_file(folder, fault.gateway + "\n"))
        if len(raised.value.findings) != 1 and name not in several:
            more[name] = str(raised.value).splitlines()

    assert more == {}


def test_all_faults_come_at_once_in_the_order_of_the_file(folder: Path) -> None:
    gateway = """\
        wrokers: 1
        providers:
          p: {kind: openai, credential: {env: TOLLHOUSE_NOBODY}}
          q: {kind: openai_compatible}
        endpoints:
          e:
            destinations: [{provider: r}, {provider: p, weight: 0}]
            timeouts: {connect_ms: 0}
        permissions: [{groups: [a], endpoints: [f]}]
    """
    with pytest.raises(ConfigurationError) as raised:
        load_configuration(gateway_file(folder, gateway))

    assert [(finding.line, finding.path[-1]) for finding in raised.value.findings] == [
        (2, "wrokers"),
        (4, "env"),
        (5, "base_url"),
        (8, "weight"),
        (8, "provider"),
        (9, "connect_ms"),
        (10, 0),
    ]


def test_a_provider_with_a_fault_is_known_all_the_same(folder: Path) -> None:
    gateway = "providers: {p: {kind: nobody}}\nendpoints: {e: {destinations: [{provider: p}]}}\n"

    with pytest.raises(ConfigurationError) as raised:
        load_configuration(gateway_file(folder, gateway))
    assert [finding.path for finding in raised.value.findings] == [("gateway", "providers", "p", "kind")]
