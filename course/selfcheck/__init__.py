"""What a student does beside looking: predict, be checked, read a figure in words.

    from course.selfcheck import agree, check, predict, revisit, show

predict, revisit    a question locked before the reveal, and asked again after it
check               an exercise: right, not yet, or a hint
agree               asserts a measured value and prints the expected one, rounded
holds               asserts a statement about what was measured, and prints it
show, describe      a figure with its words; the words alone
"""

from course.selfcheck.exercise import agree, check, holds
from course.selfcheck.prediction import predict, revisit
from course.selfcheck.words import describe, in_words, show

__all__ = ["agree", "check", "describe", "holds", "in_words", "predict", "revisit", "show"]
