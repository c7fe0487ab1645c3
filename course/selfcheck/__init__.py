"""What a student does beside looking: predict, build, be checked; and what was measured, in print.

    from course.selfcheck import agree, check, holds, paired, predict, revisit

In reading order:

prediction      predict and revisit: a question locked before the reveal, and asked again after it
exercise        check, check_function, check_range: right, not yet, or a hint; a worked solution
kinds           a text where a number is asked for, a list, nan: said in a sentence
source          show_source: how the library does it, folded
measured        agree: measured beside theory; holds: a statement with the numbers it compares
comparisons     paired, no_better, equivalent: two networks over the same seeds
marks           marked: the numbers of a sentence, as measured; rounded by their standard error
answers         where predictions are kept, and how they are read again
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
