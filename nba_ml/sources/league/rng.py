"""Random generators that depend on their purpose alone, never on how much was drawn before."""

from zlib import crc32

import numpy as np


def generator(seed: int, *purpose: int | str) -> np.random.Generator:
    """Return the generator of one purpose.

    Parameters
    ----------
    seed : int
        Seed of the league.
    *purpose : int or str
        Season year, name of the step, round: whatever tells one stream from the others.
    """
    words = [part if isinstance(part, int) else crc32(part.encode()) for part in purpose]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([abs(seed), *words])))
