"""Why a release stopped, in the reader's language."""

import pytest
from django.utils import translation

from tenants.upgrades import words


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (words.reason_failed(1), "1 company of the wave failed."),
        (words.reason_left(3), "3 companies failed, are held or were rolled back."),
        ("The import is broken: stop", "The import is broken: stop"),
        ("failed: 3 of them", "failed: 3 of them"),
        ("", ""),
    ],
)
def test_own_codes_become_words_and_an_operators_reason_stands(kept, said):
    assert words.stop_reason(kept) == said


def test_own_codes_are_said_in_the_readers_language():
    with translation.override("zh-hant"):
        assert words.stop_reason(words.reason_failed(2)) != "2 companies of the wave failed."
