"""A model gets pixels in its own range and channels, and its first layers imply the range."""

import keras
import numpy as np
import pytest
from keras import layers
from keras.applications import imagenet_utils

from cnnvis.network.classifier import Classifier
from cnnvis.network.pixel_range import stated_range
from models.convnet import build_model
from tests.conftest import small_sequential


def test_grey_and_transparent_inputs(images):
    grey = small_sequential(channels=1)
    luminance = images @ np.array([0.299, 0.587, 0.114])
    expected = grey(luminance[..., None].astype("float32") / 255)
    np.testing.assert_allclose(Classifier(grey, (0, 1)).probabilities(images), expected, rtol=1e-3)
    two = small_sequential(channels=2)
    grey_opaque = np.stack([luminance, np.full_like(luminance, 255)], axis=-1) / 255
    np.testing.assert_allclose(Classifier(two, (0, 1)).probabilities(images), two(grey_opaque), rtol=1e-3)
    four = small_sequential(channels=4)
    opaque = np.concatenate([images, np.full_like(images[..., :1], 255)], axis=-1) / 127.5 - 1
    np.testing.assert_allclose(Classifier(four, (-1, 1)).probabilities(images), four(opaque), rtol=1e-3)


@pytest.mark.parametrize("mode", ["caffe", "torch"])
def test_preprocessing_is_that_of_keras(images, mode):
    model = small_sequential()
    expected = model(imagenet_utils.preprocess_input(images.astype("float32"), mode=mode))
    classifier = Classifier(model, mode)
    assert classifier.input_range == mode
    np.testing.assert_allclose(classifier.probabilities(images), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("channels", "words"), [(1, "1 channel:"), (4, "4 channels:")])
def test_preprocessing_of_colours_is_not_for_other_channels(channels, words):
    with pytest.raises(ValueError, match=f"caffe is for colour images, and the model takes {words}"):
        Classifier(small_sequential(channels=channels), "caffe")


IMAGENET = {"mean": [0.485, 0.456, 0.406], "variance": [0.229**2, 0.224**2, 0.225**2]}


def after(*first, shape=(8, 8, 3), dtype=None, operation=lambda x: x):
    """A model that begins with layers and an operation."""
    x = pixels = keras.Input(shape, dtype=dtype)
    for layer in first:
        x = layer(x)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(operation(x)))
    return keras.Model(pixels, layers.Dense(2)(x))


def normalization(scale, shift):
    """A Normalization of ImageNet's pixels 0-1, once they are scaled and shifted."""
    return layers.Normalization(
        mean=[scale * mean + shift for mean in IMAGENET["mean"]],
        variance=[scale**2 * variance for variance in IMAGENET["variance"]],
    )


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ([], None),
        ([layers.BatchNormalization()], None),
        ([layers.Normalization(mean=0.0, variance=1.0)], None),
        ([layers.UnitNormalization()], None),
        ([normalization(1, 0)], (0, 1)),
        ([normalization(255, 0)], (0, 255)),
        ([normalization(2, -1)], (-1, 1)),
        ([layers.Rescaling(1 / 255), normalization(1, 0)], (0, 255)),
        ([layers.Rescaling(1 / 127.5, -1), normalization(2, -1)], (0, 255)),
        ([layers.Rescaling(255), normalization(255, 0)], (0, 1)),
        ([layers.Normalization(mean=0.1307, variance=0.3081**2)], (0, 1)),  # MNIST
        ([layers.Normalization(mean=0.5, variance=0.4**2)], None),  # or of bright pixels -1 to 1
        ([layers.Rescaling(1.0, [-103.939, -116.779, -123.68])], (0, 255)),
        ([layers.Rescaling(1.0, [-0.49, -0.48, -0.45])], (0, 1)),
        ([layers.ZeroPadding2D(), layers.Rescaling(1 / 127.5, -1), layers.ZeroPadding2D()], (0, 255)),
        ([layers.RandomBrightness(0.1, value_range=(0, 1)), layers.Resizing(6, 6), layers.Rescaling(255)], (0, 1)),
        ([layers.Rescaling(1 / 127.5, -1, dtype="bfloat16")], (0, 255)),
        ([layers.Flatten(), layers.Rescaling(1 / 255), layers.Reshape((8, 8, 3))], (0, 255)),
        ([layers.UpSampling2D(1000), layers.Rescaling(1 / 255)], None),  # too large
    ],
)
def test_first_layers_say_which_pixels_come_in(first, expected):
    assert stated_range(after(*first)) == expected


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda x: x / 255.0, (0, 255)),
        (lambda x: x / 127.5 - 1, (0, 255)),
        (lambda x: keras.ops.subtract(keras.ops.divide(x, 127.5), 1), (0, 255)),
        (lambda x: keras.ops.multiply(2.0, x) - 1.0, (0, 1)),
        (lambda x: 1 - x, (0, 1)),
        (lambda x: -x, None),
        (lambda x: x[..., ::-1] - keras.ops.array([103.939, 116.779, 123.68]), (0, 255)),
        (lambda x: x - keras.ops.mean(x, axis=(1, 2, 3), keepdims=True), None),
        (lambda x: keras.ops.sqrt(x / 255), None),
    ],
)
def test_operations_say_which_pixels_come_in(operation, expected, tmp_path):
    """Once the model is saved and loaded, too."""
    after(operation=operation).save(tmp_path / "model.keras")
    assert stated_range(keras.saving.load_model(tmp_path / "model.keras")) == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda: after(dtype="uint8", operation=lambda x: keras.ops.cast(x, "float32")),
        lambda: after(keras.Sequential([layers.Rescaling(1 / 255)]), shape=(None, None, 3)),
        lambda: after(layers.Rescaling(1 / 255), layers.Permute((2, 3, 1)), shape=(3, 8, 8)),
        lambda: keras.Sequential([keras.Input(batch_shape=(4, 9)), layers.Rescaling(1 / 255), layers.Dense(2)]),
        lambda: build_model("basic", 10, mean=(120,) * 3, variance=(4000,) * 3),
    ],
)
def test_models_of_any_shape_say_so(make):
    assert stated_range(make()) == (0, 255)


@pytest.mark.parametrize("name", ["EfficientNetV2B0", "MobileNetV3Small", "ConvNeXtTiny"])
def test_applications_with_preprocessing_inside_take_0_to_255(name):
    assert stated_range(getattr(keras.applications, name)(weights=None, input_shape=(32, 32, 3), classes=2)) == (0, 255)


@pytest.mark.parametrize(
    ("scale", "offset", "expected"),
    [
        (1 / 255, 0, (0, 255)),
        (1 / 127.5, -1, (0, 255)),
        (255, 0, (0, 1)),
        (2, -1, (0, 1)),
        (0.5, 0.5, (-1, 1)),
        (127.5, 127.5, (-1, 1)),
        (1, 0, None),
        (0.5, 0, None),
        (1 / 65535, 0, None),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_rescaling_says_which_pixels_come_in(scale, offset, expected, nested):
    """In a nested first model, too, and behind one that only augments."""
    first = [layers.RandomFlip(), layers.Rescaling(scale, offset)]
    if nested:
        first = [keras.Sequential([layers.RandomFlip()]), keras.Sequential([layers.Rescaling(scale, offset)])]
    model = keras.Sequential([keras.Input((8, 8, 3)), *first, layers.Flatten(), layers.Dense(2)])
    assert stated_range(model) == expected
