"""Networks that would fill the memory or never end are refused; what an image costs is as worked out by hand."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from cnnvis.network import cost
from cnnvis.network.classifier import Classifier


def classifier(graph, size=8):
    inputs = keras.Input((size, size, 3))
    return Classifier(keras.Model(inputs, layers.Dense(2, name="classes")(layers.Flatten()(graph(inputs)))))


def repeated(combine, times):
    def graph(x):
        for _ in range(times):
            x = combine([x, x])
        return x

    return graph


def large(side):
    return layers.UpSampling2D(side // 8)


def squared(x):
    matrix = large(6600)(x[..., :1])[..., 0]
    return ops.mean(ops.matmul(ops.matmul(matrix, matrix), matrix), axis=-1)[:, :9]


def crossed(x):
    """A product of each value with each other, summed over the batch, which is no longer first."""
    row = ops.repeat(layers.Flatten()(x), 60, axis=1)
    return row[:, :9] + ops.mean(ops.matmul(ops.transpose(row), row))


def averaged(graph):
    """A graph whose output is averaged over space, so that no layer has many weights."""
    return lambda x: layers.GlobalAveragePooling2D()(graph(x))


def branches(x):
    x = large(3200)(x)
    return layers.Add()([layers.Rescaling(float(n))(x) for n in range(20)])


def attention(attend):
    def graph(x):
        pixels = layers.Reshape((-1, 3))(large(160)(x))
        return layers.GlobalAveragePooling1D()(attend([pixels, pixels]))

    return graph


COSTLY = {
    "GB of memory": {
        "branches": averaged(branches),
        "attention": attention(layers.Attention()),
        "heads": attention(lambda pair: layers.MultiHeadAttention(2, 2)(*pair)),
        "additive": attention(layers.AdditiveAttention()),
        "categories": lambda x: layers.CategoryEncoding(10**6, output_mode="count")(layers.Flatten()(x))[:, :9],
        "blur": averaged(lambda x: ops.image.gaussian_blur(x, (100_001, 100_001), (1.0, 1.0))),
        "elastic": averaged(lambda x: ops.image.elastic_transform(x, sigma=50_000.0)),
        "patches": averaged(lambda x: ops.image.extract_patches(x, (100, 100), padding="same")),
    },
    "billion steps": {
        "steps": lambda x: layers.GRU(1)(layers.RepeatVector(200_000)(layers.Flatten()(x))),
        "kernel": averaged(lambda x: layers.Conv2D(3, 65, padding="same")(layers.Conv2D(9, 65)(large(2400)(x)))),
        "window": averaged(lambda x: layers.MaxPooling2D(10**6, padding="same")(x)),
        "sorting": averaged(lambda x: ops.sort(ops.sort(large(4000)(x), axis=1), axis=2)),
        "product": squared,
    },
    "sums of sums": {
        "layers": repeated(layers.Add(), 60),
        "operations": repeated(lambda pair: pair[0] + pair[1], 60),
        "through others": repeated(lambda pair: layers.Dropout(0.1)(layers.Average()(pair)), 60),
    },
    "too large to compute": {"across the batch": crossed},
    "depends on the pixels": {
        "bins": lambda x: x + ops.sum(ops.bincount(ops.reshape(ops.cast(x * 1e7, "int32"), (-1, 192)))),
    },
}


@pytest.mark.parametrize(("reason", "name"), [(reason, name) for reason, kinds in COSTLY.items() for name in kinds])
def test_a_costly_network_is_refused_before_it_is_computed(reason, name):
    with pytest.raises(ValueError, match=reason):
        classifier(COSTLY[reason][name])


def test_values_in_memory_are_counted_until_they_are_read_last(monkeypatch):
    def graph(x):
        first = layers.ReLU()(x)
        return layers.Concatenate()([first, layers.ReLU()(first)])

    most = 2 * 8 * 8 * 3 + 8 * 8 * 6  # both ReLUs and what joins them
    monkeypatch.setattr(cost, "MOST_VALUES", most)
    classifier(graph)
    monkeypatch.setattr(cost, "MOST_VALUES", most - 1)
    with pytest.raises(ValueError, match="of memory"):
        classifier(graph)


@pytest.mark.parametrize(
    ("layer", "outputs", "multiplications"),
    [
        (layers.Conv2D(4, 3, padding="same"), 64 * 4, 64 * 9 * 3 * 4),
        (layers.Conv2D(4, 3, padding="same", strides=2), 16 * 4, 16 * 9 * 3 * 4),
        (layers.Conv2D(6, 3, padding="same", groups=3), 64 * 6, 64 * 9 * 6 + 64 * 9 * 3 * cost.A_GROUPED_VALUE),
        (layers.DepthwiseConv2D(3, padding="same"), 64 * 3, 64 * 9 * 3),
        (layers.Dense(5), 64 * 5, 64 * 3 * 5),
        (layers.ReLU(), 64 * 3, 0),
    ],
)
def test_multiplications_of_a_layer(layer, outputs, multiplications, monkeypatch):
    values = cost.A_VALUE * (192 + outputs + outputs + outputs + outputs + 2)  # read or written: layer, Flatten, Dense
    windows = outputs + outputs + 2  # of one value, as of pooling
    total = multiplications + values + windows + outputs * 2
    monkeypatch.setattr(cost, "MOST_MULTIPLICATIONS", total)
    classifier(lambda x: layer(x))
    monkeypatch.setattr(cost, "MOST_MULTIPLICATIONS", total - 1)
    with pytest.raises(ValueError, match="billion steps"):
        classifier(lambda x: layer(x))


def any_size(graph):
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(graph(inputs))))


def attentive(x):
    pixels = ops.reshape(x, (-1, x.shape[1] * x.shape[2], 3)) if x.shape[1] else layers.Reshape((-1, 3))(x)
    return layers.Reshape((-1, 1, 3))(layers.Attention()([pixels, pixels]))


@pytest.mark.parametrize(
    ("graph", "limit", "reason"),
    [
        (layers.Conv2D(4, 3, padding="same"), "MOST_VALUES", "of memory, too much to compute"),
        (layers.Conv2D(4, 3, padding="same"), "MOST_MULTIPLICATIONS", "billion steps, too many to compute"),
        (attentive, "MOST_VALUES", "of memory, too much to compute"),
    ],
)
def test_an_image_that_costs_too_much_names_a_side_that_fits(graph, limit, reason, monkeypatch):
    model = any_size(graph)
    costs = Classifier(model, size=(30, 40)).cost
    monkeypatch.setattr(cost, limit, costs.values if limit == "MOST_VALUES" else costs.multiplications)
    with pytest.raises(ValueError, match=rf"{reason}: choose --image-size \d+ or smaller$") as caught:
        Classifier(model, size=(60, 80))
    assert 10 <= caught.value.side <= 30
    assert Classifier(model, size=(caught.value.side, caught.value.side * 4 // 3)).classes == 2


def test_no_side_is_named_where_none_fits(monkeypatch):
    model = any_size(layers.Resizing(50, 50))
    monkeypatch.setattr(cost, "MOST_VALUES", 50 * 50 * 3)
    with pytest.raises(ValueError, match=r"too much to compute$"):
        Classifier(model, size=(60, 80))


def test_a_batch_takes_no_more_than_seconds(monkeypatch):
    network = classifier(layers.Conv2D(4, 3))
    monkeypatch.setattr(cost, "MOST_AT_ONCE", 7 * network.cost.multiplications + 1)
    assert network.at_once == 7
    monkeypatch.setattr(cost, "MOST_AT_ONCE", 1)
    assert network.at_once == 1


def test_seconds_are_forecast_for_heavy_images_only(monkeypatch):
    heavy, light = cost.Cost(1, 6 * 10**9), cost.Cost(1, cost.HEAVY - 1)
    assert 0 < heavy.seconds(1) < 600
    monkeypatch.setattr(cost, "_speed", lambda: 2e9)
    assert (heavy.seconds(1), heavy.seconds(50), light.seconds(10**6)) == (3, 150, 0)


def test_sums_of_sums_of_few_numbers_are_computed():
    summed, plain = classifier(repeated(layers.Add(), 6)), classifier(lambda x: x)
    summed.layers["classes"].layer.set_weights([np.ones((192, 2)), np.zeros(2)])
    plain.layers["classes"].layer.set_weights([np.full((192, 2), 2.0**6), np.zeros(2)])
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), "uint8")
    np.testing.assert_allclose(summed.logits(images), plain.logits(images), rtol=1e-5)


def test_gradients_are_computed_in_batches_that_fit(monkeypatch):
    network = classifier(layers.Conv2D(4, 3, activation="relu"))
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), "uint8")
    whole = network.gradients("logit", images, [0, 1, 0, 1, 1])
    kept = 6 * 6 * 4 + 2 * (6 * 6 * 4 * 2)  # by the CONV layer's ReLU, and while it or Flatten is computed
    assert kept == cost.kept(network.layers.values(), network.cost)
    monkeypatch.setattr(cost, "MOST_VALUES", 2 * kept)
    np.testing.assert_allclose(network.gradients("logit", images, [0, 1, 0, 1, 1]), whole, rtol=1e-4, atol=1e-6)
    monkeypatch.setattr(cost, "MOST_KEPT", kept - 1)
    with pytest.raises(ValueError, match=r"gradients of one image take .* choose --method occlusion$"):
        network.gradients("logit", images, [0, 1, 0, 1, 1])
    network = Classifier(any_size(layers.Conv2D(4, 3, activation="relu")), size=(8, 8))
    monkeypatch.setattr(cost, "MOST_KEPT", cost.kept(network.layers.values(), network.cost) // 2)
    with pytest.raises(ValueError, match=r"choose --method occlusion or --image-size 5$"):
        network.gradients("logit", images, [0, 1, 0, 1, 1])
