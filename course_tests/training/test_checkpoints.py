"""Checkpoints: whole or refused by name, and a resumed run gets the numbers of an unbroken one."""

from __future__ import annotations

import io
import os
import zipfile
from functools import partial

import pytest
import torch

from course import networks, training
from course.data import LinearTeacher
from course.networks import initializers
from course.training import SGD, Adam, CheckpointError, checkpoints, fit, linear_decay
from course.training.records import from_plain, to_plain
from course_tests.kernels import python
from course_tests.small import blobs, build

OPTIONS = dict(steps=15, batch=25, evaluate_every=4, device="cpu", checkpoint_every=0)


def same(one, two):
    """Whether two records agree in every bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one.nan_to_num(), two.nan_to_num()) and torch.equal(
            one.isnan(), two.isnan()
        )
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two


CASES = {
    "SGD": (build, blobs(), dict(optimizer=SGD(0.05, 0.9), schedule=linear_decay(0.3))),
    "plain SGD": (partial(build, norm="layer"), blobs(), dict(optimizer=SGD(0.05, 0))),
    "Adam": (partial(build, "resnet"), blobs(), dict(optimizer=Adam(0.01), clip=0.5)),
    "VAN": (partial(build, "van"), blobs(), dict(skips=training.Multipliers(rate=0.1))),
    "ramp": (partial(build, "van"), blobs(), dict(skips=training.Ramp(0.7))),
    "NaN": (partial(build, norm=None), blobs(), dict(optimizer=SGD(1e30), watch=["weights"])),
    "task": (
        partial(networks.mlp, [6, 6, 6], seeds=(0, 1)),
        LinearTeacher(6),
        dict(loss="mse", optimizer=Adam(0.01), steps=60),
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("cut", [1, 7, 14])
def test_a_resumed_run_gets_the_numbers_of_an_unbroken_one(case, cut, tmp_path):
    make, data, options = CASES[case]
    options = {**OPTIONS, **options, "checkpoint": tmp_path / "run.checkpoint"}
    unbroken = make()
    expected = list(fit(unbroken, data, **{**options, "checkpoint": None}))
    first = fit(make(), data, **options)
    before = [next(first) for _ in range(cut)]
    first.close()
    resumed = make()
    after = list(fit(resumed, data, **options))
    again = [record for record in before if record.evaluated]  # these come a second time
    assert [r.step for r in after] == [r.step for r in again + expected[cut:]]
    for record, reference in zip(after, again + expected[cut:], strict=True):
        assert same(to_plain(record), to_plain(reference))
    for name, value in unbroken.state_dict().items():
        assert same(resumed.state_dict()[name], value), name


def test_a_finished_run_yields_its_evaluations_and_trains_no_more(tmp_path):
    options = {**OPTIONS, "checkpoint": tmp_path / "run"}
    network = build()
    records = list(fit(network, blobs(), **options))
    written = (tmp_path / "run").read_bytes()
    other = build()
    again = list(fit(other, blobs(), **options))
    assert [r.step for r in again] == [r.step for r in records if r.evaluated] == [4, 8, 12, 15]
    assert all(
        torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True)
    )
    assert (tmp_path / "run").read_bytes() == written
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_it_is_written_as_often_as_asked(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(checkpoints, "write", lambda path, content: steps.append(content["step"]))
    list(fit(build(), blobs(), **{**OPTIONS, "checkpoint": tmp_path / "a", "checkpoint_every": 99}))
    assert steps == [15]
    list(fit(build(), blobs(), **{**OPTIONS, "checkpoint": tmp_path / "a", "steps": 3}))
    assert steps == [15, 1, 2, 3]


def test_a_step_that_failed_is_not_saved(tmp_path, monkeypatch):
    for every, saved in ((0, 1), (99, None)):
        path = tmp_path / f"every {every}"
        options = {**OPTIONS, "checkpoint": path, "checkpoint_every": every}
        iterator = fit(build(), blobs(), **options)
        next(iterator)
        with monkeypatch.context() as patch:
            patch.setattr(SGD, "update", lambda *args: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                next(iterator)
        assert (checkpoints.read(path)["step"] if path.exists() else None) == saved


# Files


CONTENT = {"settings": {"a": "1"}, "numbers": torch.arange(5.0), "nested": ({"x": None},)}


def test_what_is_written_is_read(tmp_path):
    checkpoints.write(tmp_path / "file", CONTENT)
    found = checkpoints.read(tmp_path / "file")
    assert found["settings"] == {"a": "1"} and found["nested"] == ({"x": None},)
    assert torch.equal(found["numbers"], torch.arange(5.0))
    assert found["versions"]["torch"] == str(torch.__version__)


def test_a_file_cut_short_or_changed_anywhere_in_its_contents_is_refused(tmp_path):
    path = tmp_path / "run.checkpoint"
    checkpoints.write(path, CONTENT)
    whole = path.read_bytes()
    for length in [*range(0, 150), *range(150, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=str(path)):
            checkpoints.read(path)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    for part in parts:
        start = whole.index(part)
        for place in range(start, start + len(part)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(CheckpointError, match=str(path)):
                checkpoints.read(path)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_file_changed_between_its_contents_is_refused_or_read_as_it_was(tmp_path):
    path = tmp_path / "run.checkpoint"
    checkpoints.write(path, CONTENT)
    whole, content = path.read_bytes(), checkpoints.read(path)
    for place in range(0, len(whole), 7):
        for bit in (1, 128):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            try:
                assert same(checkpoints.read(path), content)
            except CheckpointError as error:
                assert repr(str(path)) in str(error)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 half an archive", "is damaged or cut short"),
        (b"anything else", "is not a checkpoint of this course"),
        (checkpoints.EARLIER + b"digest\nPK", "is of an earlier version of the course"),
    ],
)
def test_files_that_are_none_are_refused_with_advice(content, words, tmp_path):
    path = tmp_path / "run"
    path.write_bytes(content)
    network = build()
    before = [p.clone() for p in network.parameters()]
    with pytest.raises(CheckpointError) as error:
        fit(network, blobs(), **OPTIONS, checkpoint=path)
    assert words in str(error.value) and "delete" in str(error.value)
    assert repr(str(path)) in str(error.value)
    assert path.read_bytes() == content
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True))


def test_a_torch_file_of_somebody_else_is_refused(tmp_path):
    for content in ({"weight": torch.ones(2)}, [1, 2]):
        torch.save(content, tmp_path / "weights.pt")
        with pytest.raises(CheckpointError, match="is not a checkpoint of this course"):
            fit(build(), blobs(), **OPTIONS, checkpoint=tmp_path / "weights.pt")


class Stranger:
    """Something that runs code when it is unpickled."""

    def __reduce__(self):
        return print, ("this must not be seen",)


@pytest.mark.parametrize(
    ("content", "words"),
    [({"step": Stranger()}, "holds what no checkpoint holds"), ({"step": 3}, "not of a training")],
)
def test_whole_files_with_other_contents_are_refused(content, words, tmp_path, capsys):
    path = tmp_path / "run"
    checkpoints.write(path, content)
    with pytest.raises(CheckpointError, match=words) as error:
        fit(build(), blobs(), **OPTIONS, checkpoint=path)
    assert repr(str(path)) in str(error.value) and capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("make", "data", "options", "words"),
    [
        (build, blobs(), dict(steps=16), "steps = 15, not 16"),
        (build, blobs(), dict(batch=24), "batch = 25, not 24"),
        (build, blobs(), dict(optimizer=SGD(0.1)), "optimizer = SGD(rate=0.03"),
        (build, blobs(), dict(schedule=linear_decay()), "not linear_decay(start=0.6)"),
        (build, blobs(), dict(clip=2), "clip = None, not 2.0"),
        (partial(build, seeds=(0, 2)), blobs(), {}, "network.seeds = (0, 1), not (0, 2)"),
        (partial(build, depth=2), blobs(), {}, "network.depth = 3, not 2: give"),
        (
            partial(build, "resnet"),
            blobs(),
            {},
            "name = 'plain', not 'resnet'; network.branch = None",
        ),
        (partial(build, "van"), blobs(), {}, "skips = None, not Multipliers("),
        (build, blobs(train=119), {}, "data = 'blobs "),
        (
            partial(build, init=partial(initializers.orthogonal, gain=0.9)),
            blobs(),
            {},
            "network.init = 'torch_default', not partial(orthogonal, gain=0.9)",
        ),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(make, data, options, words, tmp_path):
    path = tmp_path / "run"
    list(fit(build(), blobs(), **OPTIONS, checkpoint=path))
    with pytest.raises(CheckpointError) as error:
        fit(make(), data, **{**OPTIONS, **options}, checkpoint=path)
    assert words in str(error.value) and "give the same settings" in str(error.value)


def test_what_does_not_change_the_numbers_may_differ(tmp_path):
    options = {**OPTIONS, "checkpoint": tmp_path / "run"}
    iterator = fit(build(), blobs(), **options)
    next(iterator)
    iterator.close()
    options.update(evaluate_every=2, watch=("weights",), record_every=3, checkpoint_every=5)
    assert next(fit(build(), blobs(), **options)).step == 2


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "run"
    checkpoints.write(path, {"step": 1})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"run' cannot be written \(No space .* make room"):
        checkpoints.write(path, {"step": 2})
    records = fit(build(), blobs(), **OPTIONS, checkpoint=tmp_path / "other")
    with pytest.raises(CheckpointError, match=r"other' cannot be written \(No space"):
        list(records)
    monkeypatch.undo()
    assert checkpoints.read(path)["step"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_while_a_run_writes_to_a_file_another_one_is_refused(tmp_path):
    path = tmp_path / "run"
    first = fit(build(), blobs(), **OPTIONS, checkpoint=path)
    next(first)
    second = fit(build(), blobs(), **OPTIONS, checkpoint=path)  # made, it has not begun
    with pytest.raises(CheckpointError, match=r"run' is in use by another run: wait for it, stop"):
        next(second)
    code = f"""
from course_tests.small import blobs, build
from course.training import fit
next(fit(build(), blobs(), steps=15, batch=25, checkpoint={str(path)!r}))
"""
    other = python(code)
    assert "CheckpointError" in other.stderr and "is in use by another run" in other.stderr
    first.close()
    assert next(fit(build(), blobs(), **OPTIONS, checkpoint=path)).step == 2
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_it_is_on_the_disk_before_it_takes_the_place(tmp_path, monkeypatch):
    calls = []
    real_sync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("sync"), real_sync(fd)))
    monkeypatch.setattr(os, "replace", lambda *a: (calls.append("rename"), real_replace(*a)))
    checkpoints.write(tmp_path / "run", {})
    assert calls == ["sync", "rename", "sync"]


@pytest.mark.parametrize(
    ("name", "words"), [("none/run", "there is no folder"), ("", "is a folder")]
)
def test_places_where_none_can_be_written_are_refused_at_once(name, words, tmp_path):
    with pytest.raises(CheckpointError, match=words):
        fit(build(), blobs(), **OPTIONS, checkpoint=tmp_path / name)


def test_a_folder_that_takes_no_files_is_found_out_before_training(tmp_path, monkeypatch):
    def denied(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(checkpoints.tempfile, "TemporaryFile", denied)
    with pytest.raises(CheckpointError, match=r"nothing can be written .* give another place"):
        fit(build(), blobs(), **OPTIONS, checkpoint=tmp_path / "run")
    with pytest.raises(CheckpointError, match="checkpoint = 3: it must be the name of a file"):
        fit(build(), blobs(), **OPTIONS, checkpoint=3)


def test_what_a_kill_left_behind_goes(tmp_path):
    for name in (".run.half.part", ".run.lock", ".other.half.part"):
        (tmp_path / name).write_bytes(b"half")
    list(fit(build(), blobs(), **OPTIONS, checkpoint=tmp_path / "run"))
    assert {file.name for file in tmp_path.iterdir()} == {"run", ".run.lock", ".other.half.part"}


def test_settings_read_the_same_in_every_process():
    describe = checkpoints.describe
    law = partial(initializers.folded, fold=2, base=initializers.he_normal)
    assert describe(law) == "partial(folded, fold=2, base=he_normal)"
    assert describe({"b": (1, law), "a": None}).startswith("{a: None, b: (1, partial(")
    assert describe(object()) == "object"


def test_records_survive_the_file():
    record = list(fit(build("van"), blobs(), **OPTIONS, batch_statistics=True))[-1]
    back = from_plain(to_plain(record))
    assert type(back) is type(record) and same(to_plain(back), to_plain(record))
    assert type(back.batch_statistics) is type(record.batch_statistics)


# Kills


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
def test_killed_at_any_instant_it_resumes_to_the_same_numbers(tmp_path):
    code = """
import sys
from pathlib import Path
from course_tests.training import killing
killing.main(Path(sys.argv[1]))
"""
    done = python(code, tmp_path, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    counts, resumed, unbroken = done.stdout.splitlines()
    kills, step = map(int, counts.split())
    assert kills >= 10 and step >= 10  # the kills fell into training and writing
    assert resumed == unbroken and "nan" not in resumed
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
