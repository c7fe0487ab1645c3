"""Predict before you look: a question whose answer locks, and the same question asked again.

    predict("01-size", "How large is ...?", ["about 1", "about 100", "larger than any number"])
    ...
    revisit("01-size", answer="c", because="each layer multiplies by 1.5")

`predict` keeps the first answer: once locked it stays, also when the cell runs again. `revisit`
asks again after the reveal: a wrong answer sends one back for another look, a second one or the
right one shows both answers beside the measured one. Where there is no kernel, question and options
stand in the page as text. The cells of both are stored with their source folded, so that a question
is read once and an answer does not stand above its reveal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import ascii_lowercase
from typing import Any

import ipywidgets

from course.arguments import one_of, reject
from course.live import cut_short, output, publish
from course.selfcheck import answers

AGAIN = "Run this cell to answer."
LINES = "<style>.course-question .widget-radio-box label { min-height: 24px; }</style>"
"""Options lie so far apart that a finger finds one of them (WCAG 2.2, 2.5.8)."""


@dataclass(frozen=True)
class Question:
    """A multiple-choice question: the options are lettered a, b, c, ... in the order given."""

    id: str
    text: str
    options: tuple[str, ...]

    def lettered(self, k: int) -> str:
        return f"{ascii_lowercase[k]}) {self.options[k]}"


_asked: dict[str, Question] = {}


def predict(id: str, question: str, options: Sequence[str]) -> Prediction:
    """A panel with `question` and two to eight `options` which locks the answer and records it.

    id: "01-size", the notebook's number and a name, different for each question of the course.
    Raises ValueError for an id or options which are not of this kind.
    """
    texts = tuple(str(option) for option in options)
    if isinstance(options, str) or not 2 <= len(set(texts)) == len(texts) <= 8:
        raise reject("options", options, "two to eight different texts")
    _asked[id] = Question(answers.question_id(id), question, texts)
    return Prediction(_asked[id])


def revisit(id: str, answer: str, because: str = "") -> Revision | Reminder:
    """The question of ``predict(id, ...)`` again, with the verdict once this answer is locked.

    answer: the letter of the right option. because: one sentence, shown with the verdict. Where the
    question was not asked since the kernel started, a reminder to run its cell comes back.
    Raises ValueError where `answer` is no letter of the question's options.
    """
    if answers.question_id(id) not in _asked:
        return Reminder(id)
    question = _asked[id]
    letters = ascii_lowercase[: len(question.options)]
    return Revision(question, letters.index(one_of("answer", answer, letters)), because)


@dataclass(frozen=True)
class Reminder:
    """What stands in the place of a question that was not asked yet."""

    id: str

    def __repr__(self) -> str:
        return (
            f"The question {self.id} was not asked since this kernel started. Go up to it, run its "
            "cell and lock your answer; then run this cell again."
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"


class Prediction(ipywidgets.VBox):
    """A question with its options, a button, and what was answered. Make one with `predict`.

    choice: the RadioButtons; set ``panel.choice.index = 1`` and call ``panel.lock()`` from code.
    """

    phase = "before"
    title = "Predict"
    press = "Lock my answer"

    def __init__(self, question: Question) -> None:
        self.question = question
        self.choice = ipywidgets.RadioButtons(
            options=self._lines(),
            index=None,
            layout={"width": "max-content", "max_width": "100%"},
        )
        self.button = ipywidgets.Button(
            description=self.press,
            disabled=True,
            tooltip="Your answer cannot be changed afterwards",
        )
        self.verdict = ipywidgets.HTML()
        head = ipywidgets.HTML(f"{LINES}<b>{self.title}.</b> {escape(question.text)}")
        super().__init__([head, self.choice, self.button, self.verdict])
        self.add_class("course-question")
        self.layout.padding = "4px 12px"
        self.layout.border_left = "4px solid #0072B2"
        self.choice.observe(self._chosen, "index")
        self.button.on_click(lambda _: self.lock())
        record = answers.find(question.id, "before") if self.phase == "before" else None
        if record is not None and record.text in question.options:
            self.choice.index = question.options.index(record.text)
            self._close(f"You locked this answer before ({escape(record.time[:10])}).")

    @property
    def locked(self) -> bool:
        """Whether an answer was given for good."""
        return bool(self.choice.disabled)

    def lock(self) -> None:
        """Keep the chosen option for good and put it on file."""
        if self.locked or self.choice.index is None:
            return
        chosen = self.choice.index
        try:
            text = self.question.options[chosen]
            answers.append(self.question.id, self.phase, chosen, text, self._answer())
            problem = ""
        except OSError as error:
            problem = f" (It could not be put on file: {escape(str(error))})"
        words = self._after(chosen) + problem
        if self._final(chosen):
            self._close(words)
        else:
            self.button.disabled = True  # until another option is chosen
            self._say(words)

    def _final(self, chosen: int) -> bool:
        return True

    def _answer(self) -> int | None:
        return None

    def _after(self, chosen: int) -> str:
        return "Locked. Now go on and see."

    def _chosen(self, _: Any) -> None:
        self.button.disabled = self.locked or self.choice.index is None

    def _close(self, words: str) -> None:
        self.choice.disabled = self.button.disabled = True
        self._say(words)

    def _say(self, words: str) -> None:
        self.verdict.value = f'<div role="status">{words}</div>'

    def _lines(self) -> list[str]:
        return [self.question.lettered(k) for k in range(len(self.question.options))]

    def __repr__(self) -> str:
        return "\n  ".join([f"{self.title}. {self.question.text}", *self._lines()])

    def _ipython_display_(self) -> None:
        publish(self, Prediction._static(self), AGAIN)

    def _static(self) -> str:
        # Letters as text: notebook pages turn every <ol> into 1, 2, 3.
        options = "".join(f"<br>{escape(line)}" for line in self._lines())
        return f"<p><b>{self.title}.</b> {escape(self.question.text)}{options}</p>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return output(self, {"text/plain": repr(self), "text/html": self._static()})


class Revision(Prediction):
    """The question after the reveal, then both answers and the right one. See `revisit`.

    tries: how many answers were locked; after a first wrong one the question stays open.
    """

    phase = "after"
    title = "Now that you have seen it"
    press = "Answer again"

    def __init__(self, question: Question, answer: int, because: str) -> None:
        self.answer, self.because, self.tries = answer, because, 0
        super().__init__(question)
        if answers.find(question.id, "before") is None:
            self._say(
                "You have not locked a prediction above. What would you have said? Answer now, "
                "and lock the next one before you look."
            )

    def lock(self) -> None:
        """Put the chosen option on file; the question stays open after a first wrong answer."""
        self.tries += not self.locked and self.choice.index is not None
        super().lock()

    def _final(self, chosen: int) -> bool:
        return chosen == self.answer or self.tries > 1

    def _answer(self) -> int | None:
        return self.answer

    def _after(self, chosen: int) -> str:
        if not self._final(chosen):
            return (
                f"{escape(self.question.options[chosen])}: that is not what was measured. Look "
                "once more at what you saw above, then answer again."
            )
        before = answers.find(self.question.id, "before")
        lines = [] if before is None else [f"Before: {escape(before.text)}."]
        right = "which is what was measured" if chosen == self.answer else "which is not so"
        lines.append(f"Now: {escape(self.question.options[chosen])}, {right}.")
        whole = ["(A training above was stopped; this is what all of it gives.)"] * cut_short()
        return "<br>".join([*lines, self._truth(), *whole])

    def _truth(self) -> str:
        because = f": {escape(self.because)}" if self.because else ""
        return f"<b>{escape(self.question.lettered(self.answer))}</b>{because}"

    def _static(self) -> str:
        summary = "<summary>What was measured</summary>"
        return f"{super()._static()}<details>{summary}{self._truth()}</details>"
