"""What a student does beside looking: predict, and be checked.

    from course.selfcheck import agree, check, holds, predict, revisit

In reading order:

prediction      predict and revisit: a question locked before the reveal, and asked again after it
exercise        check: right, not yet, or a hint; agree: a measured value against the expected one;
                holds: a statement about what was measured
answers         where predictions are kept, and how they are read again
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
