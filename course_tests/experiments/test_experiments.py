"""Experiments: settings, tables, grids that are stopped, shared and resumed, and what they show."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure

from course import data, files
from course.experiments import EXPERIMENTS, cells, grid, making, table
from course.experiments.settings import ConvGrid, Grid
from course.plots import curves, style
from course.plots.experiments import accuracy_against_depth, by_depth
from course_tests.claims import claim, seeds
from course_tests.kernels import python

SMALL = Grid(depths=(1, 3), seeds=(0, 1), epochs=2, subset=300, decay_from=0.6)
"""Four cells, a fraction of a second."""


def run(out: Path, settings: Grid = SMALL, **arguments) -> table.Table | None:
    return grid.run("small", settings, out=out, device="cpu", progress=False, **arguments)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> table.Table:
    """The small grid, trained in one go."""
    result = run(tmp_path_factory.mktemp("small"))
    assert result is not None
    return result


def same(left: table.Table | None, right: table.Table) -> None:
    assert left is not None and list(left.columns) == list(right.columns)
    for name, values in right.columns.items():
        np.testing.assert_array_equal(left.columns[name], values, err_msg=name)


# Settings


def test_listing_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys; from course.experiments import EXPERIMENTS as e\n"
        "print(*e, *(x.summary for x in e.values()))\n"
        "assert not {'torch', 'matplotlib', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("degradation figure1 "), done.stderr


def test_change():
    changed = SMALL.change(seeds=3, depths=[2, 10], epochs=None, subset=None)
    assert changed.seeds == (0, 1, 2) and changed.depths == (2, 10)
    assert (changed.epochs, changed.subset) == (SMALL.epochs, SMALL.subset)
    assert SMALL.change(seeds=(7, 4)).seeds == (7, 4)
    assert json.loads(json.dumps(SMALL.as_dict()))["depths"] == [1, 3]
    with pytest.raises(ValueError, match=r"setting = 'depth': it must be one of data, networks"):
        SMALL.change(depth=3)


@pytest.mark.parametrize(
    "name, value",
    [
        ("data", "minst"), ("networks", ("plain", "vgg")), ("networks", ()), ("networks", "plain"),
        ("depths", (0,)), ("depths", (-3,)), ("depths", (2.5,)), ("depths", (2, 2)), ("depths", 3),
        ("seeds", 0), ("seeds", (1, 1)), ("seeds", True), ("width", 0), ("epochs", 0),
        ("batch", 1), ("rate", 0.0), ("rate", float("nan")), ("momentum", 1.0),
        ("decay_from", 1.5), ("gate_bias", float("inf")), ("subset", 50), ("evaluate_every", 0),
    ],
)  # fmt: skip
def test_bad_settings_are_named(name, value):
    with pytest.raises(ValueError, match=rf"^{name} = .*: it must be "):
        SMALL.change(**{name: value})


def test_pages_say_what_the_claims_say():
    settings = EXPERIMENTS["degradation"].settings
    assert (settings.width, settings.batch, settings.epochs, settings.rate) == (50, 100, 10, 0.03)
    settings = EXPERIMENTS["figure1"].settings
    assert (settings.width, settings.batch, settings.epochs, settings.rate) == (50, 128, 50, 0.001)
    assert len(settings.networks) == 6 and len(settings.seeds) == 10 and max(settings.depths) == 30
    for experiment in EXPERIMENTS.values():
        assert "Source: " in experiment.page and len(experiment.summary) <= 100


# Tables


NUMBERS = st.floats(width=32) | st.sampled_from([float("nan"), float("inf"), -float("inf")])


@given(st.lists(st.tuples(st.integers(1, 100), NUMBERS), min_size=1, max_size=5))
def test_tables_come_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    made = [{"network": "plain", "depth": depth, "loss": loss} for depth, loss in rows]
    header = {"experiment": "made", "settings": {"depths": [1, 2]}, "note": "ä # : ,"}
    back = table.write(path, header, made)
    assert back.header == header and len(back) == len(rows)
    assert back.columns["depth"].tolist() == [depth for depth, _ in rows]
    np.testing.assert_allclose(back.columns["loss"], [loss for _, loss in rows], rtol=1e-5)
    assert [p.name for p in path.parent.iterdir()] == ["t.csv"]


@pytest.mark.parametrize("text", ["", "# a: 1\n", "# a: b\nx\n1\n", "depth\nmany\n", "a,b\n1\n"])
def test_foreign_files_are_refused(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ValueError, match=r"^table = '.*t.csv': it must be a table written by"):
        table.read(tmp_path / "t.csv")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    files.write_whole(path, "old")

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_whole(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_unknown_records_are_refused():
    with pytest.raises(ValueError, match=r"^record = 'figure1-cats': it must be one of"):
        table.recorded("figure1", "cats")


# Grids


def test_the_table(small):
    rows = small.columns
    assert len(small) == 2 * 2 * 2 * 2, "networks x depths x seeds x epochs"
    assert list(dict.fromkeys(rows["network"])) == ["plain", "resnet"]
    last = small.last()
    assert set(last["epoch"]) == {2} and set(last["seed"]) == {0, 1}
    assert (last["train_accuracy"] > 0.2).all() and (last["train_accuracy"] <= 1).all()
    assert np.isnan(rows["nonfinite_step"]).all() and np.isnan(rows["smallest_alpha"]).all()
    header = small.header
    assert header["experiment"] == "small" and header["settings"] == SMALL.as_dict()
    assert header["versions"]["torch"] and header["seconds"] > 0 and header["classes"] == 10
    assert header["device"][0].startswith("cpu (") and header["finished"].endswith("+00:00")
    assert [p.name for p in small.path.parent.iterdir()] == ["small-digits.csv"]
    numbers = np.genfromtxt(small.path, delimiter=",", comments="#", skip_header=9, usecols=(1, 2))
    assert len(numbers) >= len(small) - 1, "other programs can read it"


def test_again_is_the_same(small, tmp_path):
    same(run(tmp_path), small)


def test_seeds_do_not_depend_on_their_company(small, tmp_path):
    alone = run(tmp_path, SMALL.change(seeds=(1,), networks=("plain",)))
    assert alone is not None
    chosen = (small.columns["seed"] == 1) & (small.columns["network"] == "plain")
    for measure in ("train_loss", "test_loss"):
        expected = small.columns[measure][chosen]
        np.testing.assert_allclose(alone.columns[measure], expected, rtol=1e-3)


def test_interrupted_and_resumed(small, tmp_path, monkeypatch):
    trained: list[str] = []
    train = cells.train

    def counted(cell, *arguments):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(str(cell))
        return train(cell, *arguments)

    monkeypatch.setattr(cells, "train", counted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["small-digits.cells"], "no table yet"
    first = trained.copy()
    trained.clear()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, SMALL.change(epochs=1))  # other settings begin anew
    other = [p.name for p in (tmp_path / "small-digits.cells").iterdir()]
    trained.clear()
    same(run(tmp_path), small)
    assert len(trained) == 2 and not set(trained) & set(first), "nothing is trained twice"
    left = [p.name for p in (tmp_path / "small-digits.cells").iterdir()]
    assert len(left) == 2 and set(left) < set(other), "the other settings' cells are still there"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
def test_killed_again_and_again(tmp_path):
    """SIGKILL at any moment: no half-written table, and in the end the same numbers.

    The children are forked: torch is imported once for all of them.
    """
    settings = SMALL.change(epochs=30, depths=(8,), seeds=1, evaluate_every=10)
    whole = run(tmp_path / "whole", settings)
    code = f"""
import os, signal, sys, time
from functools import partial
from course.experiments import cells, grid
cells.training.fit = partial(cells.training.fit, checkpoint_every=0.0)
for wait in (0.05, 0.3, 0.7, None):
    child = os.fork()
    if child == 0:
        grid.run("small", grid.Grid(**{settings.as_dict()!r}), out=sys.argv[1], progress=False)
        os._exit(0)
    if wait:
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(status, os.path.exists(os.path.join(sys.argv[1], "small-digits.csv")))
"""
    out = tmp_path / "killed"
    done = python(code, out)
    ends = done.stdout.splitlines()
    assert f"{-signal.SIGKILL} False" in ends, done.stderr
    assert set(ends[:-1]) <= {f"{-signal.SIGKILL} False", "0 True"} and ends[-1] == "0 True"
    same(table.read(out / "small-digits.csv"), whole)
    assert [p.name for p in out.iterdir()] == ["small-digits.csv"]


def test_shares(small, tmp_path):
    assert run(tmp_path, part=(2, 3)) is None
    assert run(tmp_path, part=(3, 3)) is None
    assert not list(tmp_path.glob("*.csv"))
    same(run(tmp_path, part=(1, 3)), small)
    for part in ((0, 1), (3, 2), (1, 0)):
        with pytest.raises(ValueError, match=r"^part = "):
            run(tmp_path, part=part)


def test_side_by_side(small, tmp_path):
    pytest.importorskip("joblib", reason="the extra `cluster` is not installed")
    same(run(tmp_path, jobs=2), small)


def test_bad_arguments_come_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"^out = .*file': it must be a folder that can be"):
        run(tmp_path / "file")
    with pytest.raises(ValueError, match=r"^out = .*it must be a folder"):
        run(tmp_path / "file" / "below")
    out, figure1 = tmp_path / "out", EXPERIMENTS["figure1"].settings
    for arguments in ({"device": "tpu"}, {"jobs": 0}, {"root": tmp_path / "none"}):
        with pytest.raises(ValueError, match=rf"^{next(iter(arguments))} = "):
            grid.run("figure1", figure1, **{"out": out, "progress": False, **arguments})
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert not out.exists()
    with pytest.raises(ValueError, match=r"^batch = 2000: it must be at most 1500"):
        run(out, Grid(batch=2000))
    assert not list(out.iterdir()), "no empty folder stays"


def test_progress_goes_to_the_error_stream(tmp_path, capfd):
    settings = SMALL.change(depths=(1,), networks=("plain",), epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grid.run("small", settings, out=tmp_path, device="cpu", progress=True)
    out, err = capfd.readouterr()
    assert not out and "100%" in err and "left" in err
    run(tmp_path, settings)
    assert capfd.readouterr() == ("", "")


def test_all_networks_and_the_removed_skips(tmp_path):
    names = ("highway", "diracnet", "van", "van0", "looks-linear")
    result = run(tmp_path, SMALL.change(networks=names, depths=(2,), epochs=4))
    assert result is not None
    last = result.last()
    has_skips = np.isin(last["network"], ["van", "van0"])
    for column in ("smallest_alpha", "test_accuracy_cut"):
        assert (np.isfinite(last[column]) == has_skips).all()
    gone = has_skips & (last["smallest_alpha"] == 1)
    np.testing.assert_array_equal(last["test_accuracy_cut"][gone], last["test_accuracy"][gone])
    earlier = result.columns["epoch"] < 4
    assert np.isnan(result.columns["test_accuracy_cut"][earlier]).all()


def test_a_run_that_explodes_is_recorded(tmp_path):
    result = run(tmp_path, SMALL.change(rate=1e30, networks=("plain",), depths=(1, 2)))
    assert result is not None
    assert np.isfinite(result.columns["nonfinite_step"]).all(), "when it broke is known"
    assert not np.isfinite(result.columns["train_loss"]).any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        accuracy_against_depth(result.last()).savefig(tmp_path / "picture.png")


# Pictures


@given(
    arrays(float, (4, 3), elements=st.floats(allow_nan=True, allow_infinity=True)),
    st.integers(0, 3),
)
def test_mean_and_error(values, extra):
    values = np.where(np.abs(values) > 1e100, np.inf, values)
    mean, error = curves.mean_and_error(np.tile(values, (extra + 1, 1, 1)))
    for row, m, e in zip(values, mean[-1], error[-1], strict=True):
        kept = row[np.isfinite(row)]
        if not len(kept):
            assert np.isnan(m) and np.isnan(e)
            continue
        assert m == pytest.approx(kept.mean(), rel=1e-9, abs=1e-9)
        expected = kept.std(ddof=1) / len(kept) ** 0.5 if len(kept) > 1 else 0.0
        assert e == pytest.approx(expected, rel=1e-6, abs=1e-9 * (1 + np.abs(kept).max()))


def _picture(fig: Figure) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(fig)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.parametrize("broken", [False, True])
def test_moving_a_band_draws_the_same(broken):
    generator = np.random.default_rng(0)
    x, before, after = np.arange(5), generator.random((5, 3)), generator.random((5, 3))
    if broken:
        after[2, 1], after[4] = np.inf, np.nan
    pictures = []
    for move in (False, True):
        fig, ax = style.figure(4, 3)
        ax.set(xlim=(0, 5), ylim=(0, 1))
        artists = curves.mean_band(ax, x, before if move else after, **style.line(1))
        ax.set(xlim=(0, 5), ylim=(0, 1))
        if move:
            curves.move_band(artists, x, after)
        assert len(np.asarray(artists[2].get_xdata())) == (2 if broken else 0), (
            "a cross where a run is lost"
        )
        pictures.append(_picture(fig))
    np.testing.assert_array_equal(pictures[0], pictures[1])


def test_a_band_may_be_filled_and_emptied_later():
    x, values = np.arange(5), np.random.default_rng(0).random((5, 3))
    pictures = []
    for shown in ([], [(x, values), curves.NOTHING], [(x, values)]):
        fig, ax = style.figure(4, 3)
        bands = curves.empty_bands(ax, {"plain": style.line(1)})
        ax.set(xlim=(0, 5), ylim=(0, 1))
        for new in shown:
            curves.move_band(bands["plain"], *new)
        pictures.append(_picture(fig))
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[2] != pictures[0]).any()


def test_bad_shapes_are_refused():
    _, ax = style.figure(4, 3)
    with pytest.raises(ValueError, match=r"^shape of values = \(2, 2\): it must be \(3, runs"):
        curves.mean_band(ax, [1, 2, 3], [[1, 2], [3, 4]])


def test_axes_are_held_with_room_for_the_widest_labels():
    fig, ax = style.figure(4, 3)
    free = ax.get_position().bounds
    style.hold(fig, lambda: ax.set_ylabel("a label\nof two lines"))
    place = ax.get_position().bounds
    assert place[0] > free[0]
    ax.set_ylabel("")
    fig.draw_without_rendering()
    assert ax.get_position().bounds == place


def test_limits_that_are_there_already_draw_nothing_anew():
    fig, ax = style.figure(4, 3)
    style.limits(ax, xlim=(0, 3), ylim=(-1, 1))
    _picture(fig)
    style.limits(ax, xlim=(0, 3), ylim=(-1, 1))
    assert not ax.stale
    style.limits(ax, xlim=(0, 3), ylim=(-1, 2))
    assert ax.stale and ax.get_ylim() == (-1, 2)


def test_accuracy_against_depth(small):
    fig = accuracy_against_depth(small.last(), title="small")
    left, right = fig.axes
    assert left.get_ylabel() == "accuracy (%)" and "depth" in right.get_xlabel()
    depths, values = by_depth(small.last(), "resnet", "test_accuracy")
    assert depths.tolist() == [1, 3] and values.shape == (2, 2)
    drawn = next(line for line in right.lines if line.get_label() == "resnet")
    np.testing.assert_allclose(np.asarray(drawn.get_ydata()), 100 * values.mean(axis=1))
    assert _picture(fig).std() > 0


# Claims


@pytest.mark.claims
@pytest.mark.slow  # the claims of lesson 08 train such networks too
def test_plain_networks_degrade_on_the_training_set_and_resnets_do_not(tmp_path):
    """On seeds that were not looked at when the settings were chosen."""
    settings = EXPERIMENTS["degradation"].settings.change(depths=(5, 30), seeds=seeds(100, 5))
    result = run(tmp_path, settings)
    assert result is not None
    last = result.last()
    for measure in ("train_accuracy", "train_accuracy_batch", "test_accuracy"):
        plain = by_depth(last, "plain", measure)[1]
        resnet = by_depth(last, "resnet", measure)[1]
        claim(f"plain, {measure}: 5 blocks over 30", plain[0] - plain[1], least=0.2)
        claim(f"resnet, {measure}: 5 blocks over 30", resnet[0] - resnet[1], least=-0.02, most=0.02)
    claim("resnet, train_accuracy", by_depth(last, "resnet", "train_accuracy")[1], least=0.99)


RECORDS = sorted((Path(table.__file__).parent / "recorded").glob("*.csv"))
GRIDS = [path for path in RECORDS if "settings" in table.read(path).header]
"""Those of `course run`."""


@pytest.mark.claims
@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.stem)
@pytest.mark.slow  # half a minute a record
def test_a_cell_of_the_record_can_be_trained_again(path, tmp_path):
    """The shallowest cell of the first network, two of its seeds: their mean is that of all of its
    seeds, to three standard errors. (In 40 epochs rounding grows: on two processors the same seed
    answered up to three of 297 pictures otherwise.)

    Not where COURSE_DATA has other pictures under that name, or has them in another order.
    """
    record = table.read(path)
    kind = ConvGrid if record.header.get("depth_counts") == "layers" else Grid
    settings = kind(**record.header["settings"])
    if data.where(settings.data) is None:
        pytest.skip(f"COURSE_DATA has no {settings.data}")
    network, depth, seeds = settings.networks[0], min(settings.depths), settings.seeds[:2]
    known = record.header.get("labels")
    if known not in (None, making.labels(making.examples(settings, None))):
        pytest.skip(f"COURSE_DATA has another {settings.data}")
    again = run(tmp_path, settings.change(networks=(network,), depths=(depth,), seeds=seeds))
    assert again is not None
    old = record.last()
    chosen = (old["network"] == network) & (old["depth"] == depth)
    for measure in ("train_accuracy", "test_accuracy"):
        before, new = old[measure][chosen], again.last()[measure]
        error = before.std(ddof=1) * (1 / len(before) + 1 / len(new)) ** 0.5
        assert abs(new.mean() - before.mean()) <= 0.005 + 3 * error, (measure, new, before)
