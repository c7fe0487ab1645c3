"""Real data, and tasks that draw fresh examples.

    from course import data

    digits = data.digits()             # in the package: no network, nothing to set up
    mnist = data.load("mnist")         # from COURSE_DATA, the cache, or downloaded into the cache
    teacher = data.LinearTeacher(16)   # fresh examples at every step

In reading order:

sets            load and NAMES; digits, mnist, fashion_mnist, cifar10, cifar100; where
dataset         Dataset: what one is; standardized, how pictures become one
tasks           Task, LinearTeacher, draw
sources         which files each set consists of; DataError
reading         files into arrays
pickles         the same for torchvision's CIFAR folders, by a reader that runs no code
downloads       where files are looked for, and how they are fetched
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
