from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from prices.pricing import PROJECT, attempt, costs_of, invocation

from tollhouse.errors import SettingsError
from tollhouse.prices.negotiated import PriceBook, load_price_book
from tollhouse.prices.rates import rates
from tollhouse.prices.snapshot import price_models, source_version

OURS = """
prices:
  - provider: openai
    model: gpt-4o
    valid_from: 2026-01-01
    valid_to: 2026-07-01
    usd_per_million_tokens: {uncached_input_tokens: 1.80, visible_output_tokens: "7.20"}
  - provider: openai
    model: gpt-4o*
    valid_from: 2026-01-01
    discount_percent: 12.5
  - provider: hosted_vllm
    model: acme-*
    usd_per_million_tokens: {uncached_input_tokens: 0.1, visible_output_tokens: 0.3}
  - provider: azure_ai
    model: acme-gpt4
    usd_per_million_tokens: {uncached_input_tokens: 3}
    usd_per_unit: {requests: 0.001}
"""


def book_of(folder: Path, text: str) -> PriceBook:
    file = folder / "prices.yml"
    file.write_text(text)
    return load_price_book(file)


def cost(book: PriceBook, moment: datetime, **made: object) -> Decimal | None:
    return costs_of([invocation(1, attempt(start_time=moment, **made))], book)[0]["cost_usd"]


def test_a_price_never_passes_through_a_binary_float(tmp_path: Path) -> None:
    entry = book_of(tmp_path, OURS).entries[0]
    assert entry.unit_prices == {
        "uncached_input_tokens": Decimal("0.0000018"),
        "visible_output_tokens": Decimal("0.0000072"),
    }
    assert (entry.valid_from, entry.valid_to) == (date(2026, 1, 1), date(2026, 7, 1))


def test_a_negotiated_price_wins_while_it_holds_and_the_discount_after_it(tmp_path: Path) -> None:
    book = book_of(tmp_path, OURS)
    listed = 100 * Decimal("0.0000025") + 10 * Decimal("0.00001")
    agreed = 100 * Decimal("0.0000018") + 10 * Decimal("0.0000072")
    assert cost(book, datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)) == listed
    assert cost(book, datetime(2026, 1, 1, tzinfo=UTC)) == agreed
    assert cost(book, datetime(2026, 7, 1, tzinfo=UTC)) == listed * Decimal("0.875")


def test_reasoning_follows_a_negotiated_output_price_where_the_list_has_no_price_of_its_own(tmp_path: Path) -> None:
    spent = {"visible_output_tokens": 0, "reasoning_output_tokens": 10}
    agreed = 100 * Decimal("0.0000018") + 10 * Decimal("0.0000072")
    assert cost(book_of(tmp_path, OURS), datetime(2026, 2, 1, tzinfo=UTC), **spent) == agreed


def test_a_model_that_no_list_has_is_priced_by_a_negotiated_pattern(tmp_path: Path) -> None:
    book = book_of(tmp_path, OURS)
    mine = {"provider": "hosted_vllm", "destination_model": "acme-7b"}
    assert cost(book, datetime(2026, 2, 1, tzinfo=UTC), **mine) == Decimal("0.000013")
    assert cost(PriceBook(), datetime(2026, 2, 1, tzinfo=UTC), **mine) is None


def test_a_pattern_may_have_one_price_after_another(tmp_path: Path) -> None:
    period = "  - {{provider: hosted_vllm, model: acme-*, {}, usd_per_million_tokens: {{uncached_input_tokens: {}}}}}\n"
    text = "prices:\n" + period.format("valid_to: 2026-01-01", 1) + period.format("valid_from: 2026-01-01", 2)
    mine = {"provider": "hosted_vllm", "destination_model": "acme-7b", "visible_output_tokens": 0}
    costs = [cost(book_of(tmp_path, text), datetime(year, 6, 1, tzinfo=UTC), **mine) for year in (2025, 2026)]
    assert costs == [Decimal("0.0001"), Decimal("0.0002")]


def test_the_documented_price_file_is_one_that_can_be_used(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "prices.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]
    assert len(book_of(tmp_path, example).entries) == 4


def test_an_agreement_about_a_deployment_wins_over_the_model_that_the_provider_says_it_used(tmp_path: Path) -> None:
    mine = {
        "provider": "azure",
        "destination_model": "acme-gpt4",
        "response_model": "gpt-4o",
        "visible_output_tokens": 0,
    }
    assert cost(book_of(tmp_path, OURS), datetime(2026, 2, 1, tzinfo=UTC), **mine) == Decimal("0.0013")


def test_a_negotiated_price_leaves_no_overlapping_rates(tmp_path: Path) -> None:
    models = {(m.provider, m.model): m for m in price_models(book_of(tmp_path, OURS))}
    standard = [r for r in rates(models["openai", "gpt-4o"]) if r.service_tier == "standard" and not r.is_batch]
    assert [(r.valid_from, r.valid_to, r.source) for r in standard] == [
        (None, date(2026, 1, 1), "genai-prices"),
        (date(2026, 1, 1), date(2026, 7, 1), "negotiated"),
        (date(2026, 7, 1), None, "negotiated"),
    ]


def test_the_version_of_prices_changes_with_the_file(tmp_path: Path) -> None:
    first = source_version(book_of(tmp_path, OURS))
    assert first != source_version(book_of(tmp_path, OURS.replace("1.80", "1.90"))) != source_version()


def entry(**fields: str) -> str:
    given = {"provider": "openai", "model": "gpt-4o"} | fields
    return "prices:\n  - {" + ", ".join(f"{name}: {value}" for name, value in given.items()) + "}\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("prices: [", "is not YAML"),
        ("price: []", "price"),
        (entry(), "entry 1 (openai / gpt-4o) must have either prices"),
        (entry(discount_percent="5", usd_per_unit="{requests: 1}"), "must have either prices"),
        (entry(discount_percent="120"), "discount_percent is 120; allowed are 0 to 100"),
        (entry(usd_per_million_tokens="{input: 1}"), "names 'input'; allowed are uncached_input_tokens"),
        (entry(usd_per_million_tokens="{uncached_input_tokens: -1}"), "costs -0.000001 USD a unit"),
        (entry(usd_per_million_tokens="{uncached_input_tokens: much}"), "prices[0]"),
        (entry(usd_per_million_tokens="{uncached_input_tokens: .nan}"), "prices[0]"),
        (entry(discount_percent="5", valid_from="2026-02-01", valid_to="2026-01-01"), "must be after valid_from"),
        (entry(discount_percent="5", since="2026-02-01"), "since"),
        (entry(discount_percent="5") + entry(discount_percent="6").removeprefix("prices:\n"), "entries 1 and 2 both"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_with_its_place_and_what_is_allowed(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(SettingsError) as error:
        book_of(tmp_path, text)
    assert complaint in str(error.value)
    assert "prices.yml" in str(error.value)


def test_a_missing_file_says_which_setting_names_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'prices:' in the settings"):
        load_price_book(tmp_path / "none.yml")
    assert load_price_book(None) == PriceBook()
