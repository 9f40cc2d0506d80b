"""Layers with the weights of another one."""

import keras


def without_activation(layer, **changes):
    """A layer with the same weights but no activation function, and `changes` in its configuration."""
    config = layer.get_config() | {"activation": None, "name": f"cnnvis_{layer.name}_linear"} | changes
    twin = type(layer).from_config(config)
    shape = layer.get_build_config()["input_shape"]
    twin.build(shape if "data_format" not in changes else (shape[0], *shape[2:], shape[1]))
    twin.set_weights(layer.get_weights())
    return twin


def channels_last(layer):
    """A channels-first CONV layer, without its activation function, that any processor can compute: a callable.

    On CPUs, only oneDNN has channels-first kernels.
    """
    to_last, to_first = (
        keras.layers.Permute(axes, autocast=False, name=f"cnnvis_{layer.name}_{name}")
        for axes, name in (((2, 3, 1), "to_last"), ((3, 1, 2), "to_first"))
    )
    twin = without_activation(layer, data_format="channels_last")
    return lambda x: to_first(twin(to_last(x)))
