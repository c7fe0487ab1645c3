"""Random streams: one independent torch generator for each (seed, purpose).

A run draws its weights, its batches and its noise from streams which share nothing but the seed.
So a change in one place (one layer more, another batch size) does not change the draws elsewhere,
and two networks with the same seed are compared on the same batches: the comparison is paired.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy
import torch

from course import arguments


def generator(seed: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """The stream of random numbers that belongs to `seed` (a whole number >= 0) and `purpose`.

    The same pair gives the same stream, whatever was drawn before; different pairs give streams
    that are independent for every practical purpose: numpy's SeedSequence mixes the seed with a
    SHA-256 digest of the purpose. On the CPU torch keeps 32 bits of the result, so two given pairs
    share a stream with probability 1 in 4 billion.

    Draw what must not depend on the hardware with a CPU generator and move it: the GPU's
    generators give other numbers from the same state.
    """
    return torch.Generator(device).manual_seed(_start(arguments.whole("seed", seed), purpose))


@lru_cache(maxsize=10_000)  # 2 MB; mixing takes longer than to draw a small layer
def _start(seed: int, purpose: str) -> int:
    # What SeedSequence(seed, spawn_key=words of the digest) is, but its loop takes twice as long.
    size = max(16, 4 * -(-seed.bit_length() // 32))
    words = seed.to_bytes(size, "little") + hashlib.sha256(purpose.encode()).digest()
    sequence = numpy.random.SeedSequence(numpy.frombuffer(words, dtype="<u4"))
    return int(sequence.generate_state(1, numpy.uint64)[0])


def generators(
    seeds: Sequence[int], purpose: str, device: torch.device | str = "cpu"
) -> list[torch.Generator]:
    """One `generator` per replica, for different seeds."""
    return [generator(seed, purpose, device) for seed in arguments.seeds(seeds)]
