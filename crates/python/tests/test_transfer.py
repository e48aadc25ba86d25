"""`transfer`: what it takes, what it returns and tells, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Bytes, waves
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import impasto

SMALL: dict[str, Any] = {"preset": "paper", "size": 32, "iterations": 3, "style_layers": "conv1_1,conv2_1", "content_layers": "conv2_2"}


def test_a_painting_has_its_picture_and_how_it_came_about(photo: Bytes, painting: Bytes) -> None:
    painted = impasto.transfer(photo, painting, **SMALL)
    assert painted.image.shape == (24, 32, 3)
    assert painted.image.dtype == np.float32
    assert painted.image is painted.image
    assert painted.iterations == 3
    assert painted.evaluations >= 3
    assert painted.seconds > 0
    assert not painted.stopped
    assert painted.reason == "all iterations are done"
    assert list(painted.losses) == ["content conv2_2", "style conv1_1", "style conv2_1"]
    assert painted.loss < painted.initial_loss
    total = sum(term.weight * term.loss for term in painted.terms)
    assert np.isclose(total, painted.loss, rtol=1e-12)
    assert [(term.kind, term.layer, term.region) for term in painted.terms][0] == ("content", "conv2_2", None)


def test_arrays_files_and_pictures_of_pil_are_the_same(photo: Bytes, painting: Bytes, files: tuple[Path, Path]) -> None:
    wanted = impasto.transfer(*files, **SMALL).image
    pairs: list[tuple[Any, Any]] = [
        (str(files[0]), str(files[1])),
        (photo, painting),
        (photo.astype(np.float32), painting.astype(np.float64)),
        (np.asfortranarray(photo), painting[::-1, ::-1][::-1, ::-1]),
        (Image.fromarray(photo), Image.fromarray(painting)),
        (np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)]), painting),
    ]
    for content, style in pairs:
        assert np.array_equal(impasto.transfer(content, style, **SMALL).image, wanted)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    height=st.integers(4, 40),
    width=st.integers(4, 40),
    kind=st.sampled_from([np.uint8, np.float32, np.float64]),
    channels=st.sampled_from([None, 1, 3, 4]),
    steps=st.tuples(st.sampled_from([1, 2, -1]), st.sampled_from([1, 3, -1]), st.sampled_from([1, -1])),
    seed=st.integers(0, 99),
)
def test_any_shape_type_and_strides_are_a_picture(
    height: int, width: int, kind: Any, channels: int | None, steps: tuple[int, int, int], seed: int
) -> None:
    """Painted from itself for no iteration but one: what was read is what the first layer's content says."""
    random = np.random.default_rng(seed)
    shape = (height * abs(steps[0]), width * abs(steps[1])) + (() if channels is None else (channels,))
    numbers = random.integers(0, 256, shape).astype(kind)
    picture = numbers[:: steps[0], :: steps[1]] if channels is None else numbers[:: steps[0], :: steps[1], :: steps[2]]
    if channels == 4:
        picture[0, 0, 3] = 255
    objective = impasto.Objective(picture, waves(48, 48, 1), size="original", init="content", preset="paper",
                                  style_weight=0, content_layers="conv1_1")
    start = objective.start()
    if channels in (None, 1):
        wanted = np.repeat(picture.reshape(height, width, 1), 3, axis=2)
        assert np.array_equal(start, wanted.astype(np.float32))
    elif channels == 3:
        assert np.array_equal(start, picture.astype(np.float32))
    else:
        # What is wholly transparent has no colour of its own.
        seen = picture[..., 3] > 0
        assert np.array_equal(start[seen][:, :3], picture[seen][:, :3].astype(np.float32))
    assert objective.shape == (height, width, 3)


def test_the_image_is_made_once_and_can_be_changed(photo: Bytes, painting: Bytes, tmp_path: Path) -> None:
    painted = impasto.transfer(photo, painting, **SMALL)
    painted.save(tmp_path / "before.png")
    painted.image[:] = 0
    painted.save(tmp_path / "after.png")
    assert (tmp_path / "before.png").read_bytes() == (tmp_path / "after.png").read_bytes()


def test_a_saved_file_holds_the_picture(photo: Bytes, painting: Bytes, tmp_path: Path) -> None:
    painted = impasto.transfer(photo, painting, **SMALL)
    painted.save(tmp_path / "out.png", dither="none", dpi=240)
    wanted = np.clip(painted.image, 0, 255) + 0.5
    with Image.open(tmp_path / "out.png") as file:
        assert np.array_equal(np.asarray(file), np.floor(wanted).astype(np.uint8))
        assert round(file.info["dpi"][0]) == 240
        assert any(str(text).startswith('{"impasto":') for text in file.info.values())
    painted.save(tmp_path / "plain.png", profile="none", no_metadata=True)
    with Image.open(tmp_path / "plain.png") as file:
        assert "icc_profile" not in file.info
        assert not any(str(text).startswith('{"impasto":') for text in file.info.values())
    for name in ["out.jpg", "out.webp", "out.tif"]:
        painted.save(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 0
    with pytest.raises(ValueError, match="`depth` 16 is for a PNG or TIFF"):
        painted.save(tmp_path / "out.jpg", depth=16)
    with pytest.raises(ValueError, match="cannot tell the format"):
        painted.save(tmp_path / "out.xyz")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        painted.save(tmp_path / "nowhere" / "out.png")
    with pytest.raises(ValueError, match="`quality` must be from 1 to 100"):
        painted.save(tmp_path / "out.jpg", quality=0)


@pytest.mark.skipif("IMPASTO" not in os.environ, reason="IMPASTO does not name the command line program")
@pytest.mark.parametrize(
    ("name", "options", "output"),
    [
        ("out.png", {"preset": "paper", "size": 32, "iterations": 4}, {}),
        ("out.tif", {"size": 32, "iterations": 3, "tv_weight": 1e-3, "init": "noise", "seed": 7}, {"dpi": 200}),
        ("out.jpg", {"size": 48, "iterations": "2,3", "scales": 2, "smallest_scale": 24, "style_weight": 2.5}, {"quality": 80}),
        ("out.webp", {"size": 32, "iterations": 3, "colours": "photo", "optimizer": "adam"}, {"dither": "none"}),
    ],
)
def test_a_file_has_the_bytes_of_the_command_lines(
    files: tuple[Path, Path], tmp_path: Path, name: str, options: dict[str, Any], output: dict[str, Any]
) -> None:
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in (options | output).items()]
    config = tmp_path / "settings"
    config.mkdir()
    program = [os.environ["IMPASTO"], "transfer", *map(str, files), "-o", str(tmp_path / name), "--quiet", *flags]
    subprocess.run(program, check=True, env={**os.environ, "XDG_CONFIG_HOME": str(config)})
    wanted = (tmp_path / name).read_bytes()
    impasto.transfer(*files, **options).save(tmp_path / name, **output)
    assert (tmp_path / name).read_bytes() == wanted


def test_options_are_numbers_texts_or_lists(photo: Bytes, painting: Bytes) -> None:
    def paint(**options: Any) -> Any:
        return impasto.transfer(photo, painting, **{**SMALL, **options}).image

    wanted = paint(style_layers="conv1_1:2,conv2_1:0.5", content_weight="0.001")
    assert np.array_equal(wanted, paint(style_layers={"conv1_1": 2, "conv2_1": 0.5}, content_weight=1e-3))
    assert np.array_equal(wanted, paint(style_layers=["conv1_1:2", "conv2_1:0.5"], content_weight=np.float64(1e-3)))
    assert np.array_equal(paint(iterations=[2]), paint(iterations=np.int64(2), size=np.float32(32), seed=None))
    assert np.array_equal(paint(pooling="max"), paint(pool="max"))


def test_the_stub_knows_every_option() -> None:
    stub = (Path(impasto.__file__).parent / "_impasto.pyi").read_text()
    table = stub.split("class _Table")[1].split("\nclass")[0]
    names = {line.split(":")[0].strip() for line in table.splitlines()[1:] if ":" in line}
    known = {name for name, help in impasto.options() if help}
    assert names - {"image_size", "colors", "pooling", "optimiser"} == known


def test_wrong_arguments_are_told_with_the_nearest(photo: Bytes, painting: Bytes) -> None:
    wrong: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"stile_weight": 1}, TypeError, r"transfer\(\) has no argument stile_weight; did you mean style_weight\?"),
        ({"quality": 3}, TypeError, r"quality is an argument of Painting.save\(\)"),
        ({"size": "huge"}, ValueError, "`size` must be"),
        ({"size": 4}, ValueError, "`size` must be at least"),
        ({"optimizer": "adan"}, ValueError, r"did you mean adam\?"),
        ({"style_layers": "conv9_1"}, ValueError, "has no layer conv9_1"),
        ({"content_weight": -1}, ValueError, "`content_weight` must be"),
        ({"threads": 0}, ValueError, "`threads` must be from 1 to 1024"),
        ({"time_limit": "soon"}, ValueError, "`time_limit` must be a time"),
        ({"weights": "nowhere.pt"}, FileNotFoundError, "nowhere.pt"),
        ({"scene": "nowhere.toml"}, FileNotFoundError, "nowhere.toml"),
        ({"init": "nowhere.png"}, FileNotFoundError, "nowhere.png"),
        ({"mask": [None, None]}, ValueError, "`mask` has 2 masks for 1 painting"),
        ({"size": object()}, TypeError, "`size` is of type object"),
        ({"memory_limit": "60M"}, MemoryError, "needs at least"),
    ]
    for options, kind, message in wrong:
        with pytest.raises(kind, match=message):
            impasto.transfer(photo, painting, **{**SMALL, "style_layers": "conv4_1", **options})


def test_wrong_pictures_are_told(photo: Bytes, painting: Bytes, tmp_path: Path) -> None:
    wrong: list[tuple[Any, type[Exception], str]] = [
        (None, ValueError, "there is no photo"),
        (photo.transpose(2, 0, 1), ValueError, r"the content picture has the shape \(3, 36, 48\): a picture is H x W x 3"),
        (photo.astype(np.int32), TypeError, "int32"),
        (photo.astype(np.float32) * np.nan, ValueError, "NaN or infinite"),
        (np.zeros((0, 4, 3), np.uint8), ValueError, "shape"),
        (np.zeros((20, 20, 4), np.uint8), ValueError, "transparent everywhere"),
        ("no such file.png", FileNotFoundError, "no such file.png"),
        (tmp_path, OSError, "cannot read"),
        (object(), TypeError, "the content picture is of type object"),
        (Image.new("F", (20, 20)), ValueError, "of mode F"),
    ]
    for content, kind, message in wrong:
        with pytest.raises(kind, match=message):
            impasto.transfer(content, painting, **SMALL)
    with pytest.raises(ValueError, match="there is no painting"):
        impasto.transfer(photo, **SMALL)
    with pytest.warns(UserWarning, match="no number above 1"):
        impasto.transfer(photo.astype(np.float32) / 255, painting, **SMALL)


def test_palettes_and_transparency_of_pil_are_kept(photo: Bytes, painting: Bytes) -> None:
    palette = Image.fromarray(photo).quantize(16)
    wanted = impasto.transfer(np.asarray(palette.convert("RGB")), painting, **SMALL).image
    assert np.array_equal(impasto.transfer(palette, painting, **SMALL).image, wanted)
    alpha = np.full(photo.shape[:2], 255, np.uint8)
    alpha[:10] = 0
    clear = np.dstack([photo, alpha])
    painted = impasto.transfer(Image.fromarray(clear), painting, **SMALL).image
    assert painted.shape == (24, 32, 4)
    assert painted[0, 0, 3] == 0 and painted[-1, -1, 3] == 255
    assert np.array_equal(painted, impasto.transfer(clear, painting, **SMALL).image)
    assert impasto.transfer(clear, painting, **SMALL, background="white").image.shape == (24, 32, 3)


def test_masks_say_where_paintings_act(photo: Bytes, painting: Bytes, tmp_path: Path) -> None:
    left = np.zeros(photo.shape[:2], np.float32)
    left[:, :24] = 1
    Image.fromarray((left * 255).astype(np.uint8)).save(tmp_path / "left.png")
    other = waves(32, 32, 5)

    def paint(**options: Any) -> impasto.Painting:
        return impasto.transfer(photo, painting, other, **SMALL, **options)

    painted = paint(mask=[left, None])
    regions = {term.region for term in painted.terms if term.kind == "style"}
    assert regions == {"mask 1", "the rest"}
    for mask in [[left > 0, None], [(left * 255).astype(np.uint8), None], [tmp_path / "left.png", None], f"{tmp_path}/left.png,-"]:
        assert np.array_equal(paint(mask=mask).image, painted.image)
    assert not np.array_equal(paint(blend=[3, 1]).image, painted.image)
    with pytest.raises(ValueError, match="black everywhere"):
        paint(mask=[left * 0, None])
    with pytest.raises(ValueError, match="other proportions"):
        paint(mask=[left[:20], None])
    with pytest.raises(ValueError, match="from 0 .* to 1"):
        paint(mask=[left * 255, None])


def test_what_is_kept_stays(photo: Bytes, painting: Bytes) -> None:
    keep = np.zeros(photo.shape[:2], bool)
    keep[:18] = True
    options = {**SMALL, "size": 48}
    painted = impasto.transfer(photo, painting, keep=keep, content_mask=~keep, **options).image
    assert np.array_equal(painted[:17], photo[:17].astype(np.float32))
    assert not np.array_equal(painted[20:], photo[20:].astype(np.float32))


def test_segmentations_are_regions(photo: Bytes, painting: Bytes) -> None:
    def segmentation(height: int, width: int) -> Bytes:
        colours = np.zeros((height, width, 3), np.uint8)
        colours[: height // 2] = (255, 0, 0)
        return colours

    pair = segmentation(36, 48), segmentation(48, 40)
    painted = impasto.transfer(photo, painting, regions=pair, **SMALL)
    assert {term.region for term in painted.terms if term.kind == "style"} == {"red", "black"}
    with pytest.raises(ValueError, match="`regions` is a pair"):
        impasto.transfer(photo, painting, regions=list(pair[:1]), **SMALL)


def test_the_start_may_be_an_array(photo: Bytes, painting: Bytes, files: tuple[Path, Path]) -> None:
    from_file = impasto.transfer(photo, painting, init=files[1], **SMALL).image
    assert np.array_equal(impasto.transfer(photo, painting, init=painting, **SMALL).image, from_file)
    assert not np.array_equal(impasto.transfer(photo, painting, **SMALL).image, from_file)


def test_a_scene_says_what_is_not_given(files: tuple[Path, Path], tmp_path: Path) -> None:
    scene = tmp_path / "scene.toml"
    scene.write_text(
        f'[options]\npreset = "paper"\nsize = 32\niterations = 3\nstyle-layers = "conv1_1,conv2_1"\ncontent-layers = "conv2_2"\n'
        f'[[inputs]]\nrole = "content"\npath = "{files[0]}"\n[[inputs]]\nrole = "style"\npath = "{files[1]}"\n'
    )
    wanted = impasto.transfer(*files, **SMALL).image
    assert np.array_equal(impasto.transfer(scene=scene).image, wanted)
    assert not np.array_equal(impasto.transfer(scene=scene, iterations=1).image, wanted)


def test_iterations_are_told_on_the_thread_that_called(photo: Bytes, painting: Bytes) -> None:
    seen: list[impasto.Progress] = []
    pictures = []

    def hear(progress: impasto.Progress) -> None:
        assert threading.current_thread() is threading.main_thread()
        seen.append(progress)
        pictures.append(progress.image())

    painted = impasto.transfer(photo, painting, on_iteration=hear, **SMALL)
    assert [progress.iteration for progress in seen] == [1, 2, 3]
    assert all(progress.iterations == 3 and progress.size == (24, 32) and progress.scale == progress.scales == 1 for progress in seen)
    assert np.array_equal(pictures[-1], painted.image)
    assert seen[-1].loss == painted.loss and seen[-1].losses == painted.losses
    assert seen[0].loss > seen[-1].loss
    with pytest.raises(ValueError, match="while on_iteration is called"):
        seen[0].image()


def test_false_stops_the_run_and_nothing_else_does(photo: Bytes, painting: Bytes) -> None:
    painted = impasto.transfer(photo, painting, on_iteration=lambda progress: progress.iteration < 2, **SMALL)
    assert (painted.iterations, painted.stopped, painted.reason) == (2, True, "on_iteration stopped it")
    painted = impasto.transfer(photo, painting, on_iteration=lambda progress: np.bool_(False), **SMALL)
    assert painted.iterations == 1
    for answer in [None, True, 0, ""]:
        painted = impasto.transfer(photo, painting, on_iteration=lambda progress: answer, **SMALL)
        assert (painted.iterations, painted.stopped) == (3, False)


def test_what_a_callback_raises_comes_out(photo: Bytes, painting: Bytes) -> None:
    class Wrong(Exception):
        pass

    def fail(progress: impasto.Progress) -> None:
        raise Wrong("here")

    with pytest.raises(Wrong, match="here"):
        impasto.transfer(photo, painting, on_iteration=fail, **SMALL)
    with pytest.raises(TypeError, match="on_iteration must be a function"):
        impasto.transfer(photo, painting, on_iteration=3, **SMALL)  # type: ignore[arg-type]


def test_other_threads_run_meanwhile(photo: Bytes, painting: Bytes) -> None:
    painted: list[impasto.Painting] = []
    thread = threading.Thread(target=lambda: painted.append(impasto.transfer(photo, painting, **{**SMALL, "iterations": 30})))
    thread.start()
    counted = 0
    while thread.is_alive():
        counted += 1
        time.sleep(0.001)
    thread.join()
    assert counted > 3
    assert painted[0].iterations > 3


@pytest.mark.filterwarnings("ignore:.*pixels:UserWarning")
def test_a_time_limit_ends_with_the_picture_so_far(photo: Bytes, painting: Bytes) -> None:
    options = {**SMALL, "iterations": 1_000_000, "optimizer": "adam"}
    painted = impasto.transfer(photo, painting, time_limit=timedelta(seconds=0.5), **options)
    assert painted.stopped and painted.reason == "time_limit is over" and painted.iterations > 0
    with pytest.raises(TimeoutError, match="before the first iteration was done"):
        impasto.transfer(photo, painting, time_limit=1e-9, **{**options, "size": 512})


def test_ctrl_c_ends_a_run(photo: Bytes, painting: Bytes) -> None:
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        # The limit is for a failing test.
        impasto.transfer(photo, painting, time_limit=20, **{**SMALL, "iterations": 1_000_000, "optimizer": "adam"})
    timer.join()


def test_a_run_goes_on_from_its_checkpoint(files: tuple[Path, Path], photo: Bytes, painting: Bytes, tmp_path: Path) -> None:
    options = {**SMALL, "iterations": 6}
    wanted = impasto.transfer(*files, **options)
    wanted.save(tmp_path / "wanted.png")
    run = tmp_path / "out.run"
    impasto.transfer(*files, on_iteration=lambda progress: progress.iteration < 3, checkpoint=run, **options)
    painted = impasto.transfer(resume=run)
    painted.save(tmp_path / "resumed.png")
    assert np.array_equal(painted.image, wanted.image)
    assert (tmp_path / "resumed.png").read_bytes() == (tmp_path / "wanted.png").read_bytes()
    # Of inputs in memory it does not know where they are.
    impasto.transfer(photo, painting, on_iteration=lambda progress: False, checkpoint=run, init=painting, **options)
    with pytest.raises(ValueError, match="does not say where the content picture is"):
        impasto.transfer(resume=run)
    whole = impasto.transfer(photo, painting, init=painting, **options)
    assert np.array_equal(impasto.transfer(photo, painting, resume=run).image, whole.image)
    with pytest.raises(ValueError, match="`size` cannot be given with `resume`"):
        impasto.transfer(photo, painting, resume=run, size=40)
    with pytest.raises(ValueError, match="cannot go on from"):
        impasto.transfer(painting, painting, resume=run)
    with pytest.raises(ValueError, match="is no checkpoint"):
        impasto.transfer(resume=files[0])


def test_progress_is_a_line_on_standard_error(photo: Bytes, painting: Bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    impasto.transfer(photo, painting, progress=True, **SMALL)
    shown = capsys.readouterr().err
    assert shown.count("\n") == 3 and "3/3  32 x 24, loss " in shown


def test_the_file_of_a_large_photo_and_its_array_are_the_same(painting: Bytes, tmp_path: Path) -> None:
    large = waves(300, 200, 3)
    Image.fromarray(large).save(tmp_path / "large.png")
    from_file = impasto.transfer(tmp_path / "large.png", painting, **SMALL).image
    assert np.array_equal(impasto.transfer(large, painting, **SMALL).image, from_file)
