"""The ``gateway:`` section of the settings file as it is written, one struct a mapping.

Types, bounds, defaults and descriptions stand here alone: the checks, their messages and
docs/gateway-configuration.md are made from them.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from tollhouse.gateway.wires import Wire
from tollhouse.spool.writer import Durability

ProviderKind = Literal["openai", "anthropic", "gemini", "azure_openai", "openai_compatible"]
TransportName = Literal["sockets", "aiohttp"]
LogLevel = Literal["debug", "info", "warning", "error"]
FullPolicy = Literal["reject", "drop", "wait"]
PayloadMode = Literal["on", "off", "sampled"]
Affinity = Literal["session", "none"]
Disconnect = Literal["cancel", "drain"]

Text = Annotated[str, Meta(min_length=1, max_length=1024)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Bytes = Annotated[int, Meta(ge=1, le=2**40)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Milliseconds = Annotated[int, Meta(ge=1, le=86_400_000)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Host = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9._:%-]+$")]


class SecretSource(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is read from: an environment variable or a file, one of them."""

    allowed: ClassVar[str] = "{env: NAME} or {file: PATH}, never the secret itself"

    env: Annotated[Text | None, Meta(description="Environment variable that holds it, in capitals.")] = None
    file: Annotated[
        Text | None,
        Meta(description="File that holds it, relative to the settings file; a change of the file is noticed."),
    ] = None


class Listen(Struct, frozen=True, forbid_unknown_fields=True):
    host: Annotated[Host, Meta(description="Address that clients reach; `0.0.0.0` is every one.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port that clients reach; 0 takes a free one.")] = 8080


class Admin(Struct, frozen=True, forbid_unknown_fields=True):
    host: Annotated[Host, Meta(description="Address of health, readiness and metrics.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port of health, readiness and metrics; 0 takes a free one.")] = 8081


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    request_bytes: Annotated[Bytes, Meta(description="Greatest request body, also once it is decoded.")] = 33_554_432
    request_seconds: Annotated[
        Seconds, Meta(description="Longest time in which a request's head may arrive, and then its body.")
    ] = 60.0
    header_bytes: Annotated[Bytes, Meta(description="Greatest sum of a request's header names and values.")] = 65_536
    event_bytes: Annotated[Bytes, Meta(description="Greatest single event of a stream that is read.")] = 16_777_216
    response_bytes: Annotated[
        Bytes, Meta(description="Most of a response that is kept for its row; a longer one passes, cut in the log.")
    ] = 67_108_864
    decoded_ratio: Annotated[
        int, Meta(ge=1, le=10_000, description="Most decoded bytes for one byte of an encoded request body.")
    ] = 100


class Spool(Struct, frozen=True, forbid_unknown_fields=True):
    durability: Annotated[
        Durability,
        Meta(
            description="What a record waits for beyond its write: `strict` for a sync of the disk, `interval` for "
            "nothing (a sync each 100 ms or 4 MiB), `os` for nothing, and nothing is ever synced."
        ),
    ] = "interval"
    on_full: Annotated[
        FullPolicy,
        Meta(
            description="When the disk refuses a record: `reject` refuses the call, `drop` serves it and counts the "
            "lost record, `wait` tries again for `wait_seconds`."
        ),
    ] = "reject"
    wait_seconds: Annotated[Seconds, Meta(description="How long `wait` tries before it rejects.")] = 30.0


class Payloads(Struct, frozen=True, forbid_unknown_fields=True):
    mode: Annotated[PayloadMode, Meta(description="Whether bodies are logged; `sampled` logs those of some calls.")] = (
        "on"
    )
    sampling_fraction: Annotated[Fraction, Meta(description="Share of the calls whose bodies `sampled` logs.")] = 1.0
    max_bytes: Annotated[
        int, Meta(ge=0, le=2**40, description="A greater body is left out of its row, which says so.")
    ] = 10_485_760


class PayloadOverrides(Struct, frozen=True, forbid_unknown_fields=True):
    mode: Annotated[PayloadMode | None, Meta(description="For this endpoint; null is the gateway's.")] = None
    sampling_fraction: Annotated[Fraction | None, Meta(description="For this endpoint; null is the gateway's.")] = None
    max_bytes: Annotated[
        Annotated[int, Meta(ge=0, le=2**40)] | None, Meta(description="For this endpoint; null is the gateway's.")
    ] = None


class Identity(Struct, frozen=True, forbid_unknown_fields=True):
    pepper: Annotated[
        SecretSource | None,
        Meta(
            description="Secret of at least 32 bytes under which virtual keys are hashed. null: the state folder's, "
            "made at first use. Another pepper makes every existing key invalid."
        ),
    ] = None


class Tracing(Struct, frozen=True, forbid_unknown_fields=True):
    otlp_endpoint: Annotated[
        Text | None, Meta(description="URL that OpenTelemetry spans are sent to by OTLP over HTTP; null: none are.")
    ] = None
    sampling_fraction: Annotated[Fraction, Meta(description="Share of the calls that get a span.")] = 0.0
    service_name: Annotated[Text, Meta(description="`service.name` of the spans.")] = "tollhouse-gateway"


class Provider(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Annotated[
        ProviderKind, Meta(description="What it is: which URLs it has, how it is given its credential, what it speaks.")
    ]
    base_url: Annotated[
        Text | None,
        Meta(
            description="Where it is, version included (`https://api.openai.com/v1`); for `azure_openai` the "
            "resource's address alone. null: the kind's own. `azure_openai` and `openai_compatible` have none."
        ),
    ] = None
    credential: Annotated[
        SecretSource | None,
        Meta(description="Its key, sent with every call. null, for a provider with a `base_url`: none is sent."),
    ] = None
    headers: Annotated[
        dict[str, str], Meta(description="Further headers of every call to it; never a credential's.")
    ] = {}
    protocols: Annotated[
        Annotated[tuple[Wire, ...], Meta(min_length=1)] | None,
        Meta(
            description="Protocols that it speaks; a call in another one is translated to the first of them that is "
            "not for embeddings. null: the kind's."
        ),
    ] = None
    api_version: Annotated[
        Text | None,
        Meta(
            description="`api-version` of `azure_openai`, whose deployments then stand in the path. null: its v1 "
            "interface. Other kinds have none."
        ),
    ] = None
    prices_as: Annotated[
        Text | None,
        Meta(
            description="Provider whose prices hold, by its id in the price list. null: `openai`, `anthropic`, "
            "`google` or `azure` by kind; for `openai_compatible` the provider's name here."
        ),
    ] = None


class Fallback(Struct, frozen=True, forbid_unknown_fields=True):
    provider: Annotated[Text, Meta(description="Name of a provider.")]
    model: Annotated[
        Text | None,
        Meta(description="Model to ask it for, Azure's deployment. null: the one that the client asked for."),
    ] = None
    name: Annotated[
        Text | None,
        Meta(description="Its name in the log. null: the provider's name and the last part of the model's, or `*`."),
    ] = None


class Destination(Fallback, frozen=True, forbid_unknown_fields=True):
    weight: Annotated[
        float, Meta(gt=0, le=1_000_000, description="Its share of the calls, against the other destinations'.")
    ] = 1.0


class Retries(Struct, frozen=True, forbid_unknown_fields=True):
    attempts: Annotated[int, Meta(ge=0, le=10, description="Further tries of a destination before the next one.")] = 1
    base_ms: Annotated[
        Milliseconds,
        Meta(description="Bound of the random wait before the first retry; it doubles with each further one."),
    ] = 250
    max_ms: Annotated[
        Milliseconds,
        Meta(description="Longest wait. A `retry-after` beyond it goes on to the next destination at once."),
    ] = 5_000


class Timeouts(Struct, frozen=True, forbid_unknown_fields=True):
    connect_ms: Annotated[Milliseconds, Meta(description="Until a connection to the provider stands.")] = 5_000
    first_token_ms: Annotated[
        Milliseconds,
        Meta(description="Until a stream's first event with content; then, while one is left, the next destination."),
    ] = 120_000
    idle_ms: Annotated[Milliseconds, Meta(description="Between two reads of a response.")] = 300_000
    total_ms: Annotated[Milliseconds, Meta(description="For the whole call, all attempts together.")] = 900_000


class Cooldown(Struct, frozen=True, forbid_unknown_fields=True):
    failures: Annotated[
        int, Meta(ge=1, le=1_000, description="Failures in a row after which a destination is left out for a while.")
    ] = 3
    seconds: Annotated[
        float,
        Meta(ge=0, le=86_400, description="How long; a provider's `retry-after` wins, up to five minutes. 0: never."),
    ] = 30.0


class Endpoint(Struct, frozen=True, forbid_unknown_fields=True):
    destinations: Annotated[
        tuple[Destination, ...], Meta(min_length=1, description="Where its calls go, by weight; see below.")
    ]
    models: Annotated[
        Annotated[tuple[Text, ...], Meta(min_length=1)] | None,
        Meta(
            description="Model names that clients ask for, and patterns of them, in which `*` is any text. null: the "
            "endpoint's own name."
        ),
    ] = None
    tags: Annotated[dict[str, str], Meta(description="Go into every row of its calls.")] = {}
    fallbacks: Annotated[
        tuple[Fallback, ...], Meta(description="Where a call goes on after 429, 5xx, no connection or no first token.")
    ] = ()
    affinity: Annotated[
        Affinity,
        Meta(description="`session`: calls of one session keep their destination, for its prompt cache."),
    ] = "session"
    retries: Annotated[Retries, Meta(description="Further tries of one destination.")] = Retries()
    timeouts: Annotated[Timeouts, Meta(description="How long what may take.")] = Timeouts()
    cooldown: Annotated[Cooldown, Meta(description="When a failing destination is left out.")] = Cooldown()
    payloads: Annotated[PayloadOverrides, Meta(description="What this endpoint logs of bodies.")] = PayloadOverrides()
    disconnect: Annotated[
        Disconnect,
        Meta(
            description="When a client leaves: `cancel` the provider's answer, or `drain` it to its end for its usage."
        ),
    ] = "cancel"


class Permission(Struct, frozen=True, forbid_unknown_fields=True):
    groups: Annotated[
        Annotated[tuple[Text, ...], Meta(min_length=1)],
        Meta(description="Groups that it is given to; `*` is everybody."),
    ]
    endpoints: Annotated[
        tuple[Text, ...], Meta(min_length=1, description="Names of endpoints, or patterns of them, that they may use.")
    ] = ("*",)
    models: Annotated[
        tuple[Text, ...], Meta(min_length=1, description="Models, or patterns of them, that they may ask these for.")
    ] = ("*",)


class Gateway(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole section."""

    providers: Annotated[
        dict[str, Provider], Meta(min_length=1, description="Model providers, by a name that destinations use.")
    ]
    endpoints: Annotated[dict[str, Endpoint], Meta(min_length=1, description="What clients may ask for, by name.")]
    listen: Annotated[Listen, Meta(description="Where clients reach the gateway.")] = Listen()
    admin: Annotated[Admin, Meta(description="Where its operators do.")] = Admin()
    workers: Annotated[int, Meta(ge=1, le=256, description="Worker processes.")] = 1
    drain_seconds: Annotated[
        float, Meta(ge=0, le=86_400, description="How long calls in flight may go on after SIGTERM.")
    ] = 30.0
    transport: Annotated[
        TransportName, Meta(description="HTTP client towards providers: our own, or the plain aiohttp.")
    ] = "sockets"
    trusted_proxies: Annotated[
        tuple[Text, ...], Meta(description="Addresses or networks whose `x-forwarded-for` is believed.")
    ] = ()
    log_level: Annotated[LogLevel, Meta(description="Least severity of the gateway's own log lines.")] = "info"
    limits: Annotated[Limits, Meta(description="What a request and a response may take.")] = Limits()
    spool: Annotated[Spool, Meta(description="How the request log is written.")] = Spool()
    payloads: Annotated[Payloads, Meta(description="What is logged of bodies.")] = Payloads()
    identity: Annotated[Identity, Meta(description="Virtual keys.")] = Identity()
    tracing: Annotated[Tracing, Meta(description="OpenTelemetry spans.")] = Tracing()
    permissions: Annotated[
        tuple[Permission, ...] | None,
        Meta(
            description="Who may use what. null: every valid key everything. A list: what it does not give is refused."
        ),
    ] = None
