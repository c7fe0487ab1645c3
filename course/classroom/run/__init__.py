"""Run a student's notebook and ask it questions, in a sandbox."""
