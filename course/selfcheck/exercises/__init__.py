"""The checks of the notebooks' exercises, one module per notebook: a page is no place for hints.

Each function is named check_<what the student writes>, takes what the student wrote, and prints.
"""
