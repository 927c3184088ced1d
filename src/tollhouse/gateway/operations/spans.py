"""Spans by the GenAI conventions of OpenTelemetry: one for a call as served, and one below it for each attempt."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence

import msgspec
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tollhouse.gateway.operations.tokens import NOTHING, Tokens, tokens_of
from tollhouse.spool.records import Attempt, CallOutcome

Value = str | int | float | bool | tuple[str, ...]

_EXPORT_SECONDS = 4.0
_FIRST_ERROR, _FIRST_SERVER_ERROR = 400, 500
_FAILED = frozenset({"failed", "cut"})
_OPERATIONS = {
    "chat/completions": "chat",
    "v1/responses": "chat",
    "v1/messages": "chat",
    "v1/embeddings": "embeddings",
    "v1/embedContent": "embeddings",
    "v1/generateContent": "generate_content",
}
# The names that the conventions have for providers, where they are not ours.
_PROVIDERS = {
    "aws": "aws.bedrock",
    "azure": "azure.ai.openai",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "x-ai": "x_ai",
}
_logger = logging.getLogger(__name__)


class Spans:
    """Makes spans and sends them by OTLP over HTTP, in batches every few seconds."""

    def __init__(self, endpoint: str, service_name: str, servers: Mapping[str, str]) -> None:
        self.servers = servers
        resource = Resource.create({"service.name": service_name})
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_Exporter(endpoint)))
        self._tracer = self._provider.get_tracer("tollhouse.gateway")

    def make(self, outcome: CallOutcome) -> None:
        """One span for the call and one for each of its attempts."""
        operation = _operation(outcome.api_type)
        begun = _nanoseconds(outcome.event_time)
        span = self._tracer.start_span(
            _name(operation, outcome.requested_model, outcome.api_type),
            context=_parent(outcome),
            kind=SpanKind.SERVER,
            attributes=_told(_of_call(outcome, operation)),
            start_time=begun,
        )
        below = trace.set_span_in_context(span)
        for attempt in outcome.attempts:
            self._make_attempt(attempt, operation, outcome, below)
        if outcome.outcome in _FAILED or outcome.status_code >= _FIRST_SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR))
        span.end(begun + (outcome.latency_ms or 0) * 1_000_000)

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()

    def _make_attempt(self, attempt: Attempt, operation: str | None, outcome: CallOutcome, below: Context) -> None:
        server = self.servers.get(f"{outcome.endpoint_name}/{attempt.destination_name}")
        begun = _nanoseconds(attempt.start_time)
        span = self._tracer.start_span(
            _name(operation, attempt.destination_model, outcome.api_type),
            context=below,
            kind=SpanKind.CLIENT,
            attributes=_told(_of_attempt(attempt, operation, server)),
            start_time=begun,
        )
        if attempt.error_code is not None or (attempt.status_code or 0) >= _FIRST_ERROR:
            span.set_status(Status(StatusCode.ERROR))
        span.end(begun + (attempt.latency_ms or 0) * 1_000_000)


class _Exporter(SpanExporter):
    """Says once that the collector takes no spans, and once that it does again; OpenTelemetry says it of each batch."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._exporter = OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS)
        self._is_failing = False
        library = logging.getLogger("opentelemetry.exporter")
        library.handlers = [logging.NullHandler()]
        library.propagate = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        is_failing = result is not SpanExportResult.SUCCESS
        if is_failing and not self._is_failing:
            _logger.warning("the collector takes no spans; they are dropped", extra={"collector": self._endpoint})
        elif self._is_failing and not is_failing:
            _logger.info("the collector takes spans again", extra={"collector": self._endpoint})
        self._is_failing = is_failing
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _of_call(outcome: CallOutcome, operation: str | None) -> dict[str, Value | None]:
    last = outcome.attempts[-1] if outcome.attempts else None
    first_ms = outcome.time_to_first_byte_ms
    is_error = outcome.outcome in _FAILED or outcome.status_code >= _FIRST_ERROR
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": _provider(last.provider) if last else None,
        "gen_ai.request.model": outcome.requested_model,
        "gen_ai.request.stream": outcome.is_stream or None,
        "gen_ai.response.model": last.response_model if last else None,
        "gen_ai.response.finish_reasons": (outcome.finish_reason,) if outcome.finish_reason else None,
        "gen_ai.response.time_to_first_chunk": first_ms / 1000 if outcome.is_stream and first_ms is not None else None,
        "gen_ai.conversation.id": outcome.session_id,
        "http.response.status_code": outcome.status_code,
        "error.type": (outcome.error_code or str(outcome.status_code)) if is_error else None,
        "tollhouse.invocation_id": outcome.invocation_id,
        "tollhouse.endpoint": outcome.endpoint_name,
        "tollhouse.outcome": outcome.outcome,
        **(_usage(last) if last else {}),
    }


def _of_attempt(attempt: Attempt, operation: str | None, server: str | None) -> dict[str, Value | None]:
    status = attempt.status_code
    is_error = attempt.error_code is not None or (status or 0) >= _FIRST_ERROR
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": _provider(attempt.provider),
        "gen_ai.request.model": attempt.destination_model,
        "gen_ai.response.model": attempt.response_model,
        "server.address": server,
        "http.response.status_code": status,
        "error.type": (attempt.error_code or str(status)) if is_error else None,
        "tollhouse.destination": attempt.destination_name,
        "tollhouse.action": attempt.action,
        **_usage(attempt),
    }


def _usage(attempt: Attempt) -> dict[str, Value | None]:
    tokens = _tokens(attempt)
    return {
        "gen_ai.usage.input_tokens": tokens.input,
        "gen_ai.usage.output_tokens": tokens.output,
        "gen_ai.usage.cache_read.input_tokens": tokens.cache_read,
        "gen_ai.usage.cache_creation.input_tokens": tokens.cache_creation,
        "gen_ai.usage.reasoning.output_tokens": tokens.reasoning,
    }


def _tokens(attempt: Attempt) -> Tokens:
    if isinstance(attempt.usage, msgspec.Raw) and attempt.usage_format is not None:
        return tokens_of(attempt.usage, attempt.usage_format)
    return NOTHING


def _told(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in attributes.items() if value is not None}


def _name(operation: str | None, model: str | None, api_type: str | None) -> str:
    return f"{operation or api_type or 'call'} {model}" if model else operation or api_type or "call"


def _operation(api_type: str | None) -> str | None:
    """None for what no model answers, a list of models say."""
    for ending, operation in _OPERATIONS.items():
        if api_type is not None and api_type.endswith(ending):
            return operation
    return None


def _provider(provider: str) -> str:
    return _PROVIDERS.get(provider, provider)


def _parent(outcome: CallOutcome) -> Context:
    """The client's span, where it named one; never that of the thread."""
    if outcome.trace_id is None or outcome.span_id is None:
        return Context()
    context = SpanContext(
        int(outcome.trace_id, 16), int(outcome.span_id, 16), is_remote=True, trace_flags=TraceFlags(1)
    )
    return trace.set_span_in_context(NonRecordingSpan(context), Context())


def _nanoseconds(time: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time with microseconds."""
    since = dt.datetime.fromisoformat(time) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
