"""Notebook 13: each patient fails as it came and learns when mended; what it is scored by. Fresh
seeds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch.nn import functional

from course import doctor
from course.lessons.clinic import exercise, science
from course.lessons.clinic.exercise import check_mend, commit
from course.selfcheck import answers
from course_tests.claims import claim, seeds

SEEDS = seeds(100, 5)
SICK = sorted(exercise.MENDS)


@pytest.fixture(autouse=True)
def of_nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is on file, and nothing is put there."""
    monkeypatch.setenv("COURSE_WAIT", "1")
    exercise._committed.clear()
    yield
    exercise._committed.clear()


@pytest.mark.claims
@pytest.mark.repeats
@pytest.mark.parametrize("letter", SICK)
def test_a_patient_fails_as_it_came_and_learns_when_mended(letter: str) -> None:
    before = science.untreated(letter, SEEDS)[:, -10:].mean(1)
    before = np.nan_to_num(before, nan=science.CONSTANT)  # one of 100 draws of G: it blew up
    floor = 1.46 if letter == "D" else 2.1
    claim(f"{letter}, as it came", before, least=floor)
    claim(f"{letter}, mended", exercise.mended(letter, SEEDS)[:, -10:].mean(1),
          most=exercise.GOALS[letter])  # fmt: skip


@pytest.mark.claims
def test_batch_norm_mends_the_first_one_too() -> None:
    def mend(model: object, batches: object, loss: object, optimizer: object) -> science.Patient:
        normed = science.layers(width=32, depth=16, norm=True)
        sgd = torch.optim.SGD(normed.parameters(), lr=0.03, momentum=0.9)
        return normed, science.batches(0), functional.cross_entropy, sgd

    last = science.losses(science.patient_a, SEEDS, mend)[:, -10:].mean(1)
    claim("A with batch norm", last, most=exercise.GOALS["A"])  # .91 ± .09


@pytest.mark.claims
@pytest.mark.repeats
def test_the_healthy_one_learns_as_it_came() -> None:
    claim("C, as it came", science.untreated("C", SEEDS)[:, -10:].mean(1), most=0.5)  # .3 ± .02


def test_truth_is_told_in_words_of_the_lists() -> None:
    assert list(exercise.TRUTH) == list(science.PATIENTS)
    assert {"healthy", *doctor.ILLNESSES} >= set(exercise.DIAGNOSES)
    for diagnosis, remedies in exercise.TRUTH.values():
        assert diagnosis in exercise.DIAGNOSES and set(remedies) <= set(exercise.REMEDIES)
        assert exercise.DOCTORS[diagnosis] in remedies
    well = [name for name, (diagnosis, _) in exercise.TRUTH.items() if diagnosis == "healthy"]
    assert sorted([*well, *exercise.MENDS]) == sorted(exercise.TRUTH)


def test_a_commitment_stays(capsys: pytest.CaptureFixture[str]) -> None:
    commit("A", diagnosis=..., remedy="skips")
    commit("A", diagnosis="flu", remedy="skips")
    for odd in (torch.ones(2), 3, [1]):
        commit("A", diagnosis="dead units", remedy=odd)
    assert exercise.committed("A") is None
    commit("A", diagnosis="dead units", remedy="skips")
    commit("A", diagnosis="healthy", remedy="nothing")
    assert exercise.committed("A") == ("dead units", "skips")
    said = capsys.readouterr().out
    assert "not yet" in said and "'flu' is not on the list" in said
    assert said.count("dead units; first skips") == 2
    with pytest.raises(ValueError, match="patient"):
        commit("Z", diagnosis="healthy", remedy="nothing")


def test_a_commitment_is_put_on_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("COURSE_WAIT")
    monkeypatch.setenv("COURSE_RECORDS", str(tmp_path_factory.mktemp("records") / "file"))
    commit("F", diagnosis="healthy", remedy="nothing")
    exercise._committed.clear()  # another session
    assert exercise.committed("F") == ("healthy", "nothing")
    assert {one.question for one in answers.read()} == {"13-f-diagnosis", "13-f-remedy"}


def test_student_and_doctor_are_scored_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exercise, "verdict", lambda letter: doctor.Verdict("healthy"))
    rows = {row[0]: row for row in exercise.scores().rows}
    assert rows["C"][2].startswith("2:") and rows["A"][2].startswith("0:")
    assert rows["in all"][2:] == ("2 of 14", "not yet")
    for letter, (diagnosis, remedies) in exercise.TRUTH.items():
        commit(letter, diagnosis, remedies[0] if letter != "B" else "skips")
    rows = {row[0]: row for row in exercise.scores().rows}
    assert rows["in all"][3] == "13 of 14" and rows["B"][3].startswith("1:")


def test_mends_are_checked_by_what_the_network_does(capsys: pytest.CaptureFixture[str]) -> None:
    def unchanged(*patient: object) -> object:
        return patient

    def new_model(model: object, batches: object, loss: object, optimizer: object) -> object:
        return science.layers(64, 2), batches, loss, optimizer

    assert check_mend("D", exercise.mend_d) and check_mend("F", exercise.mend_f)
    assert not check_mend("D", unchanged) and not check_mend("D", new_model)
    assert not check_mend("D", lambda *patient: None) and not check_mend("D", len)
    said = capsys.readouterr().out
    assert "mend_d: right" in said and "'ends at a loss of" in said
    assert "its optimizer does not know" in said and "in place of the ..." in said
    assert "stops with TypeError" in said
