"""What can be priced: our units, and the unit of genai-prices that each one is."""

from functools import cache

from genai_prices.data_units import unit_data
from genai_prices.units import UnitDef, UnitRegistry

BUCKETS = {
    "uncached_input_tokens": "input_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_write_5m_input_tokens": "cache_write_5m_tokens",
    "cache_write_1h_input_tokens": "cache_write_1h_tokens",
    "visible_output_tokens": "output_tokens",
    "reasoning_output_tokens": "output_reasoning_tokens",
}
"""The six token buckets and the unit of genai-prices that each one is."""

OTHER_UNITS = {
    "audio_input_tokens": "input_audio_tokens",
    "image_input_tokens": "input_image_tokens",
    "video_input_tokens": "input_video_tokens",
    "cache_read_audio_input_tokens": "cache_audio_read_tokens",
    "cache_read_image_input_tokens": "cache_image_read_tokens",
    "audio_output_tokens": "output_audio_tokens",
    "image_output_tokens": "output_image_tokens",
    "video_output_tokens": "output_video_tokens",
    "citation_output_tokens": "output_citation_tokens",
    "input_characters": "input_characters",
    "input_text_messages": "input_text_messages",
    "audio_seconds": "audio_seconds",
    "input_audio_seconds": "input_audio_seconds",
    "output_audio_seconds": "output_audio_seconds",
    "input_pixels": "input_pixels",
    "input_document_pages": "input_document_pages",
    "input_annotated_document_pages": "input_annotated_document_pages",
    "rerank_search_requests": "rerank_searches",
    "web_search_requests": "web_searches",
    "social_search_requests": "social_searches",
    "storage_search_requests": "storage_searches",
    "code_execution_requests": "code_executions",
    "requests": "requests",
}
"""Units of ``other_usage``, each apart from the buckets and from each other; ``requests`` is 1 for every attempt."""

UNLISTED_UNITS = ("google_maps_grounding_requests", "input_images", "input_video_seconds", "web_fetch_requests")
"""Units of ``other_usage`` that genai-prices does not know: only a negotiated price can price them."""

UNITS = BUCKETS | OTHER_UNITS | {unit: unit for unit in UNLISTED_UNITS}


@cache
def registry() -> UnitRegistry:
    """genai-prices' bundled units."""
    return UnitRegistry(unit_data)


@cache
def priced_as(unit: str, priced: frozenset[str]) -> str | None:
    """Which of the ``priced`` units of genai-prices gives our ``unit`` its price: its own, else its nearest ancestor.

    That is the library's decomposition for quantities that exclude each other; None where nothing prices the unit.
    """
    if unit in UNLISTED_UNITS:
        return unit if unit in priced else None
    units = registry().units
    own = units[UNITS[unit]]
    covering = [units[key] for key in priced if key in units and _covers(units[key], own)]
    return max(covering, key=lambda ancestor: len(ancestor.dimensions)).usage_key if covering else None


def _covers(ancestor: UnitDef, unit: UnitDef) -> bool:
    return ancestor.dimensions.items() <= unit.dimensions.items()
