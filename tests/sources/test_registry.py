import pytest

from tollhouse.errors import SourceError
from tollhouse.sources import litellm
from tollhouse.sources.registry import framer


def test_a_format_is_found_by_its_name():
    assert framer("litellm") is litellm.frame


def test_an_unknown_format_lists_the_choices():
    with pytest.raises(SourceError, match=r"no log format 'litelm'(.|\n)*use one of: litellm"):
        framer("litelm")
