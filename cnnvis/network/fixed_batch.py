"""Models that were saved for batches of one size, made to take any."""

import keras


def free(layer, inputs, batch_size):
    """Remove the batch size from a layer or operation: `keras.ops.reshape` keeps it, and stateful recurrent layers."""
    if getattr(layer, "stateful", False):  # one image has nothing to do with the next
        layer.stateful = False
    shape = getattr(layer, "newshape", None)
    if batch_size and inputs and isinstance(shape, list | tuple) and shape[0] == batch_size:
        whole = keras.KerasTensor((batch_size, *inputs[0].shape[1:]))
        layer.newshape = (-1, *layer.compute_output_spec(whole).shape[1:])


def check(batch_size, compute):
    """Raise ValueError if a model that was saved for one batch size can't `compute` batches of another size."""
    if not batch_size:
        return
    try:
        compute(batch_size % 5 + 1)  # never the same
    except ValueError as error:
        raise ValueError(
            f"the model computes batches of {batch_size} only: save it with an input without a batch size"
        ) from error
