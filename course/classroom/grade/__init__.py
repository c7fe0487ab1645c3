"""Rounds of grading: workers, results, reports, feedback."""
