"""Occlusion maps by an independent implementation, by hand, and by their properties."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.attribution import occlusion
from cnnvis.images import dataset


def by_masks(score, image, target, baseline, windows, stride):
    """The formula, one mask per patch and one image at a time."""
    maps = []
    height, width = image.shape[:2]
    for size in windows:
        total, count = np.zeros((height, width)), np.zeros((height, width))
        rows = int(np.ceil((height - size) / stride)) + 1
        columns = int(np.ceil((width - size) / stride)) + 1
        for i in range(rows):
            for j in range(columns):
                mask = np.zeros((height, width))
                mask[i * stride : i * stride + size, j * stride : j * stride + size] = 1
                hidden = image * (1 - mask[..., None]) + baseline * mask[..., None]
                drop = score(image[None])[0, target] - score(hidden[None])[0, target]
                total += mask * drop
                count += mask
        maps.append(total / count)
    return np.mean(maps, axis=0)


def bent_score(shape, classes=3, seed=0):
    """A nonlinear scorer, so that overlaps matter."""
    weights = np.random.default_rng(seed).normal(size=(int(np.prod(shape)), classes)) / 100

    def score(images):
        return np.tanh(images.reshape(len(images), -1) @ weights)

    return score


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=2),
    stride=st.integers(1, 4),
    channels=st.sampled_from([1, 3]),
    batch=st.sampled_from([1, 3, 256]),
)
def test_agrees_with_the_formula(height, width, sizes, stride, channels, batch):
    sizes = [min(size, height, width) for size in sizes]
    stride = min(stride, *sizes)
    rng = np.random.default_rng(height * 10 + width)
    images = rng.uniform(0, 255, (2, height, width, channels)).astype("float32")
    baselines = rng.uniform(0, 255, images.shape).astype("float32")
    score = bent_score(images.shape[1:])
    before = images.copy(), baselines.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(occlusion, "images_at_once", lambda height, width: batch)
        maps = occlusion.occlusion_maps(score, images, [0, 2], baselines, sizes, stride)
    assert maps.shape == (2, height, width)
    assert maps.dtype == np.float32
    for image, baseline, target, importance in zip(images, baselines, (0, 2), maps):
        np.testing.assert_allclose(importance, by_masks(score, image, target, baseline, sizes, stride), atol=1e-5)
    np.testing.assert_array_equal(images, before[0])
    np.testing.assert_array_equal(baselines, before[1])


@given(length=st.integers(1, 40), data=st.data())
def test_every_pixel_is_in_a_patch(length, data):
    size = data.draw(st.integers(1, length))
    stride = data.draw(st.integers(1, size))
    starts = occlusion.window_positions(length, size, stride)
    assert len(starts) == int(np.ceil((length - size) / stride)) + 1
    covered = {pixel for start in starts for pixel in range(start, min(start + size, length))}
    assert covered == set(range(length))


def test_patches_by_hand():
    assert occlusion.window_positions(32, 5, 4).tolist() == [0, 4, 8, 12, 16, 20, 24, 28]
    corners = occlusion.window_corners(3, 3, 2, 2)  # the last of each axis is cut off
    assert corners.tolist() == [[0, 0, 2, 2], [0, 2, 2, 3], [2, 0, 3, 2], [2, 2, 3, 3]]


def test_average_drop_by_hand():
    corners = np.array([[0, 0, 1, 2], [0, 1, 1, 3]])
    np.testing.assert_allclose(occlusion.average_drop([4.0, -2.0], corners, (1, 3)), [[4.0, 1.0, -2.0]])


def test_a_linear_scorer_is_explained_exactly():
    rng = np.random.default_rng(3)
    weights = rng.normal(size=(6, 5, 3)).astype("float32")
    images = rng.uniform(0, 255, (2, 6, 5, 3)).astype("float32")

    def score(batch):
        return np.tensordot(batch, weights, 3)[:, None]

    maps = occlusion.occlusion_maps(score, images, [0, 0], np.zeros_like(images), [1])
    np.testing.assert_allclose(maps, (images * weights).sum(axis=-1), rtol=1e-3, atol=1e-2)


def test_a_symmetric_image_has_a_symmetric_map():
    half = np.random.default_rng(4).uniform(0, 255, (8, 4, 3))
    image = np.concatenate([half, half[:, ::-1]], axis=1)[None]

    def score(batch):
        return np.tanh(batch.mean(axis=(1, 2)) / 100)

    maps = occlusion.occlusion_maps(score, image, [1], np.zeros_like(image), [3], 1)
    np.testing.assert_allclose(maps, maps[:, :, ::-1], atol=1e-6)


@pytest.mark.parametrize(("size", "stride"), [(9, 1), (0, 1), (3, 4), (3, 0)])
def test_impossible_sizes_and_strides_are_an_error(size, stride):
    with pytest.raises(ValueError, match=r"choose 1 to"):
        occlusion.window_positions(8, size, stride)


def test_baselines():
    images = np.random.default_rng(5).integers(0, 256, (2, 16, 12, 3), dtype="uint8")
    mean = occlusion.baseline_images(images, "mean")
    np.testing.assert_allclose(mean[1, 3, 4], images[1].reshape(-1, 3).mean(axis=0), rtol=1e-5)
    assert (occlusion.baseline_images(images, "zero") == 0).all()
    assert (occlusion.baseline_images(images, 7.5) == 7.5).all()
    noise = occlusion.baseline_images(images, "noise", seed=1)
    np.testing.assert_array_equal(noise, occlusion.baseline_images(images, "noise", seed=1))
    assert (noise != occlusion.baseline_images(images, "noise", seed=2)).any()
    assert noise.min() >= 0
    assert noise.max() <= 255
    blurred = occlusion.baseline_images(images, "blur")
    assert blurred[0].std() < images[0].std()
    assert abs(blurred[0].mean() - images[0].mean()) < 5
    for kind in ("mean", "zero", "blur", "noise", 3.0):
        baseline = occlusion.baseline_images(images, kind)
        assert baseline.shape == images.shape
        assert baseline.dtype == ("uint8" if kind in ("blur", "noise") else "float32")


def test_all_batches_but_the_last_are_full():
    sizes = []

    def score(batch):
        sizes.append(len(batch))
        return np.zeros((len(batch), 1))

    images = np.zeros((3, 100, 90, 1), "uint8")
    occlusion.occlusion_maps(score, images, [0, 0, 0], images, [50, 90], 50)  # 1 + 2 x 2 + 2 copies per image
    assert sizes == [21]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "PIXELS_AT_ONCE", 9 * 9000)
        occlusion.occlusion_maps(score, images, [0, 0, 0], images, [50, 90], 50)
    assert sizes == [21, 9, 9, 3]


@pytest.mark.parametrize(("count", "stride"), [(2, 28), (8, 28), (2, 7)])
def test_memory_is_bounded_for_any_number_of_images_and_patches(count, stride):
    images = np.random.default_rng(6).integers(0, 256, (count, 224, 224, 3), dtype="uint8")
    baselines = occlusion.baseline_images(images, "mean")
    tracemalloc.start()
    try:
        maps = occlusion.occlusion_maps(lambda x: x[:, 0, 0], images, [0] * count, baselines, [56, 112], stride)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6 + maps.nbytes


def test_the_most_important_patch_by_hand():
    importance = np.zeros((4, 6))
    importance[1:3, 2:4] = [[1, 2], [3, -1]]
    importance[3, 5] = 4.5
    assert occlusion.most_important_patch(importance, 1) == (3, 5, 4, 6)
    assert occlusion.most_important_patch(importance, 2) == (1, 2, 3, 4)
    assert occlusion.most_important_patch(importance, 9) == (0, 2, 4, 6)  # the largest that fits


def test_the_most_important_patch_of_a_photo_takes_no_longer_for_its_size():
    """217² pixels in each of 600,000 patches would take minutes."""
    importance = np.zeros((866, 1155), "float32")
    importance[400:617, 300:517] = 1
    assert occlusion.most_important_patch(importance, 217) == (400, 300, 617, 517)


@pytest.mark.parametrize(("text", "value"), [("mean", "mean"), ("noise", "noise"), ("0", 0.0), ("127.5", 127.5)])
def test_baselines_are_parsed(text, value):
    assert occlusion.parse_baseline(text) == value


@pytest.mark.parametrize("text", ["grey", "-1", "256", "nan"])
def test_other_texts_are_an_error(text):
    with pytest.raises(ValueError, match="is neither mean, zero, blur, noise nor a value from 0 to 255"):
        occlusion.parse_baseline(text)
