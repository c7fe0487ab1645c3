"""Make course/data/digits.npz from scikit-learn: `python -m course_tests.make_digits`.

scikit-learn (with scipy, some 195 MB) is needed here and in the test that compares, never by the
course itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

PATH = Path(__file__).resolve().parents[1] / "course" / "data" / "digits.npz"
TEST = 297


def digits() -> dict[str, np.ndarray]:
    """Pictures (1797, 64) uint8 from 0 to 16, labels, and which of them are the test set.

    The test set has 297 pictures and each digit in proportion: within each digit the pictures are
    ranked at random, and the lowest relative ranks of all are taken.
    """
    from sklearn.datasets import load_digits

    source = load_digits()
    labels = source.target.astype(np.uint8)
    generator = np.random.default_rng(0)
    rank = np.empty(len(labels))
    for digit in range(10):
        places = np.flatnonzero(labels == digit)
        rank[generator.permutation(places)] = (np.arange(len(places)) + 0.5) / len(places)
    test = np.zeros(len(labels), dtype=bool)
    test[np.argsort(rank, kind="stable")[:TEST]] = True
    return {"images": source.data.astype(np.uint8), "labels": labels, "test": test}


if __name__ == "__main__":
    made = digits()
    np.savez_compressed(PATH, images=made["images"], labels=made["labels"], test=made["test"])
    print(f"{PATH.name}: {PATH.stat().st_size:,} bytes")
