"""All layers in one pass give what each gives by itself."""

import keras
import numpy as np
import pytest

from cnnvis.classifier import Classifier
from cnnvis.layer_outputs import layer_outputs
from models.convnet import build_model


@pytest.mark.parametrize("arch", ["basic", "deep"])
def test_equal_to_the_layers_one_by_one(arch, pictures):
    model = build_model(arch, 10, (120, 120, 120), (4000, 4000, 4000))
    outputs = layer_outputs(Classifier(model), pictures[0])
    kinds = (
        keras.layers.Conv2D,
        keras.layers.ReLU,
        keras.layers.MaxPooling2D,
        keras.layers.AveragePooling2D,
        keras.layers.GlobalMaxPooling2D,
        keras.layers.Dense,
    )
    assert list(outputs) == [layer.name for layer in model.layers if isinstance(layer, kinds)]
    for name, output in outputs.items():
        alone = keras.Model(model.input, model.get_layer(name).output)(pictures[:1].astype("float32"), training=False)
        np.testing.assert_allclose(output, alone[0], rtol=1e-4, atol=1e-5)
        assert output.dtype == np.float32


def test_chosen_layers_come_in_the_networks_order(sequential, pictures):
    classifier = Classifier(sequential, (0, 1))
    outputs = layer_outputs(classifier, pictures[0], ["hidden", "first"])
    assert list(outputs) == ["first", "hidden"]
    alone = keras.Model(sequential.inputs, sequential.get_layer("first").output)(pictures[:1] / 255)
    np.testing.assert_allclose(outputs["first"], alone[0], rtol=1e-4, atol=1e-5)  # after its own RELU
    with pytest.raises(ValueError, match="no layer is called 'third'"):
        layer_outputs(classifier, pictures[0], ["third"])
