import duckdb
import pyarrow as pa
import pytest
from prices.pricing import attempt, invocation, schema_of

from tollhouse.prices.matches import PAIRS_QUERY, match_model, match_models
from tollhouse.prices.negotiated import PriceBook
from tollhouse.sql.dialects import to_duckdb


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-4o-2024-11-20", ("openai", "gpt-4o", False)),
        ("", "gpt-4o", ("openai", "gpt-4o", False)),
        ("", "azure/gpt-4o", ("openai", "gpt-4o", True)),
        ("azure", "gpt-4o", ("openai", "gpt-4o", True)),
        ("azure", "azure/gpt-4o", ("openai", "gpt-4o", True)),
        ("azure_ai", "gpt-4o", ("openai", "gpt-4o", True)),
        ("vertex_ai", "gemini-2.5-pro", ("google", "gemini-2.5-pro", False)),
        ("gemini", "gemini/gemini-2.5-flash", ("google", "gemini-2.5-flash", False)),
        ("together_ai", "meta-llama/Llama-3.3-70B-Instruct-Turbo",
         ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", False)),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
         ("aws", "regional.anthropic.claude-sonnet-4-5-20250929-v1:0", False)),
        ("openrouter", "openrouter/anthropic/claude-sonnet-4.5", ("openrouter", "anthropic/claude-sonnet-4.5", False)),
        ("perplexity", "perplexity/glm-5.3-flash", ("perplexity", "perplexity/glm-5.3-flash", False)),
        ("litellm_proxy", "gpt-4o", ("openai", "gpt-4o", False)),
        ("openai", "acme-tuned", (None, None, False)),
        ("hosted_vllm", "gpt-4o", (None, None, False)),
        ("", "nonsense", (None, None, False)),
        ("", "", (None, None, False)),
    ],
)  # fmt: skip
def test_a_provider_and_model_of_a_log_mean_a_price(
    provider: str, model: str, expected: tuple[str | None, str | None, bool]
) -> None:
    match = match_model(provider, model, PriceBook())
    assert (match.price_provider, match.price_model, match.is_lent) == expected


def test_a_pair_is_matched_once_and_no_provider_is_an_empty_one() -> None:
    table = match_models([(None, "gpt-4o"), ("", "gpt-4o"), ("openai", "gpt-4o")], schema_of("silver.price_matches"))
    assert table.schema == schema_of("silver.price_matches")
    assert table["provider"].to_pylist() == ["", "openai"]


def test_the_pairs_to_match_are_those_of_every_attempt_and_of_calls_without_one() -> None:
    calls = [
        invocation(1, attempt(provider="azure", destination_model="prod", response_model="gpt-4o")),
        invocation(2, destination_model="o3", provider=None),
        invocation(3),
    ]
    with duckdb.connect() as connection:
        connection.register("calls", pa.Table.from_pylist(calls, schema=schema_of("silver.invocations")))
        rows = connection.sql(to_duckdb(PAIRS_QUERY, {"silver.invocations": "calls"})).fetchall()
    assert sorted(rows) == [("", "o3"), ("azure", "gpt-4o"), ("azure", "prod")]
