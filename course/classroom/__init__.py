"""Problem sets on nbgrader: release, collect, grade in a sandbox, give feedback, sum up quizzes."""
