"""Which of the folders on the way to a file is the student's?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

Way = tuple[str, ...]  # the names of folders that may be students, from the outermost


def owners(ways: Iterable[Way]) -> dict[Way, str]:
    """Way -> the folder on it that is the student's, for files that answer one set.

    That is the outermost one, but for folders of a whole class or of each of its groups: the only
    one at the top, or those that hold nothing but folders, several in one of them. A way that may
    belong to several is left out: students are not merged.
    """
    chosen: dict[Way, str] = {}
    within: dict[str, list[Way]] = defaultdict(list)
    for way in ways:
        within[way[0]].append(way)
    names = {top: {way[1] for way in some if way[1:]} for top, some in within.items()}
    nested = all(way[1:] for some in within.values() for way in some)
    if len(within) == 1:
        ((top, some),) = within.items()
        if len(names[top]) < 2 - nested:
            return dict.fromkeys(some, top)
        inner = owners(way[1:] for way in some if way[1:])
        return {(top, *way): owner for way, owner in inner.items()}
    groups = nested and any(len(inside) > 1 for inside in names.values())
    for top, some in within.items():
        if groups:
            chosen |= {way: way[1] for way in some}
        else:
            chosen |= {way: top for way in some if len(names[top]) < 2 or not way[1:]}
    if groups:  # "ada" in two groups: one person or two?
        homes = Counter(name for inside in names.values() for name in inside)
        chosen = {way: owner for way, owner in chosen.items() if homes[owner] == 1}
    return chosen
