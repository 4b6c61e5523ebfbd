"""An encrypted stream opens whole, with its key, unchanged; or not at all."""

import io
import os
import random

import pytest

from tenants.backups.refusals import ArchiveRefused
from tenants.backups.sealing import CHUNK, HEAD, Opener, Sealer

KEY, OTHER = "k" * 50, "o" * 50
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17)


def sealed(plain, key=KEY):
    out = io.BytesIO()
    sealer = Sealer(out, key)
    for start in range(0, len(plain), 100_000):
        sealer.write(plain[start : start + 100_000])
    sealer.close()
    return out.getvalue()


def opened(text, keys=(KEY,)):
    opener = Opener(io.BytesIO(text), keys)
    parts = []
    while block := opener.read(65_536):
        parts.append(block)
    opener.finish()
    return b"".join(parts)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens_again_and_says_nothing_of_itself(size):
    plain = os.urandom(size)

    text = sealed(plain)

    assert opened(text) == plain
    assert opened(text, (OTHER, KEY)) == plain
    assert size < 16 or plain[:16] not in text


def test_every_flipped_bit_every_cut_and_every_key_but_its_own_is_refused(say):
    text = sealed(os.urandom(CHUNK + 5000))
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)  # noqa: S311
    places = [*range(HEAD + 8), *(dice.randrange(len(text)) for _ in range(60))]
    refused = 0
    for place in places:
        wrong = bytearray(text)
        wrong[place] ^= 1 << dice.randrange(8)
        with pytest.raises(ArchiveRefused):
            opened(bytes(wrong))
        refused += 1
    cuts = [0, 1, HEAD - 1, HEAD, HEAD + 4 + CHUNK + 16, len(text) - 1]
    cuts += [dice.randrange(len(text)) for _ in range(30)]
    for place in cuts:
        with pytest.raises(ArchiveRefused):
            opened(text[:place])
        refused += 1
    for wrong, keys in (
        (text, (OTHER,)),
        (text, ()),
        (text + b"x", (KEY,)),
        (b"PK\3\4zip", (KEY,)),
    ):
        with pytest.raises(ArchiveRefused):
            opened(wrong, keys)
        refused += 1
    say(f"T20 sealed archives: refused={refused}/{len(places) + len(cuts) + 4}, seed={seed}")


def test_chunks_cannot_be_swapped_repeated_or_left_out():
    text = sealed(os.urandom(3 * CHUNK + 9))
    piece = 4 + CHUNK + 16
    head, chunks = text[:HEAD], [text[HEAD + i * piece : HEAD + (i + 1) * piece] for i in range(4)]
    for order in ((1, 0, 2, 3), (0, 0, 1, 2, 3), (0, 2, 3), (3,), (0, 1, 2)):
        with pytest.raises(ArchiveRefused):
            opened(head + b"".join(chunks[i] for i in order))
