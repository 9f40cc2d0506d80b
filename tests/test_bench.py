"""The measurements: arithmetic counted by hand."""

import keras
from keras import layers

from bench.flops import forward_flops, training_flops
from models.convnet import build_model


def test_flops_of_a_tiny_network_by_hand():
    model = keras.Sequential(
        [
            keras.Input((6, 8, 3)),
            layers.Conv2D(4, 3),  # 4 x 6 places, 4 filters of 3 x 3 x 3
            layers.BatchNormalization(),
            layers.Conv2D(6, (1, 2), strides=2, padding="same", groups=2),  # 2 x 3 places, 6 filters of 1 x 2 x 2
            layers.Flatten(),
            layers.Dense(5),  # 36 to 5
        ]
    )
    assert forward_flops(model) == 2 * (24 * 4 * 27 + 6 * 6 * 4 + 36 * 5)
    assert training_flops(model) == 3 * forward_flops(model)


def test_flops_of_deep_from_its_drawing():
    convs = [(31, 2, 3, 24), (31, 3, 24, 64), (15, 3, 64, 64), (15, 3, 64, 256), (7, 3, 256, 256), (7, 3, 256, 256)]
    convs += [(3, 3, 256, 256)]
    expected = sum(2 * side**2 * size**2 * inputs * filters for side, size, inputs, filters in convs)
    assert forward_flops(build_model("deep", 10)) == expected + 2 * (256 * 256 + 256 * 10)
