"""What a student does beside looking: predict, and be checked.

    from course.selfcheck import agree, check, holds, predict, revisit

predict, revisit    a question locked before the reveal, and asked again after it
check               an exercise: right, not yet, or a hint
agree               asserts a measured value and prints the expected one, rounded
holds               asserts a statement about what was measured, and prints it
answers             where predictions are kept, and how they are read again
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
