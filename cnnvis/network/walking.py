"""From layer to layer through anybody's model, nested models included."""

import keras

from cnnvis import keras_internals


def walk(model, x, call):
    """Run a model on a tensor, but let `call` call its layers and operations, those of nested models included.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, with one output.
    x : symbolic or eager tensor
    call : callable
        (layer, *inputs, **options) -> outputs, as the layer's own call would give them.

    Returns
    -------
    tensor
    """

    def visit(layer, *inputs, **options):
        options.pop("training", None)  # as Keras replaces it when it predicts
        if isinstance(layer, keras.Sequential):
            (x, *_) = tensors((inputs, options))
            for inner in layer.layers:
                x = visit(inner, x)
            return x
        if keras_internals.is_functional(layer):  # of one or several inputs and outputs
            given = inputs[0] if inputs else tensors(options)
            return keras_internals.run_through_graph(layer, given, visit)
        return call(layer, *inputs, **options)

    return keras.tree.flatten(visit(model, x))[0]  # x, [x] and {"name": x} are all one output


def symbolic(structure):
    """The symbolic tensors in a nested structure: tuple."""
    return tuple(x for x in keras.tree.flatten(structure) if isinstance(x, keras.KerasTensor))


def tensors(structure):
    """The tensors in a nested structure, symbolic or not: tuple."""
    return tuple(x for x in keras.tree.flatten(structure) if isinstance(x, keras.KerasTensor) or keras.ops.is_tensor(x))
