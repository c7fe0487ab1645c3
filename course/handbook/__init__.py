"""What one looks up: the course's terms and symbols, and the decision card.

    from course import handbook

    handbook.glossary()                      # every term, what it is, where it is introduced
    handbook.glossary("effective rank")      # these terms only
    handbook.decision("relu_family")         # what to do when you see it: the lesson's lines
    handbook.decision_card()                 # all of them

In reading order:

terms       glossary, symbols: a term or symbol a line, read from terms.csv and symbols.csv
decisions   decision, decision_card: symptom, measurement, meaning, first remedy, of decisions.csv
tables      Table: rows as a table of the page, and as plain text
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
