"""What one image costs: a network that would fill the memory, or never end, is refused before it is computed."""

import math

import keras

MOST_VALUES = 2**27  # in memory at once: 512 MB of float32
MOST_KEPT = 2**30  # for the gradients of one image: 4 GB; EfficientNetB7 keeps as much
MOST_MULTIPLICATIONS = 2**38  # for one image: twice those of the largest of keras.applications, EfficientNetB7
MOST_SUMMANDS = 2**14  # of a sum: TensorFlow's optimizer writes sums of sums as one, in exponential time
A_VALUE = 2**5  # multiplications that take as long as reading or writing a value
A_SORTED_VALUE = 2**12
A_STEP = 2**22  # of a recurrent layer

RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.TimeDistributed)
ATTENTION = (  # their scores have a value for each pair of places
    keras.layers.AdditiveAttention,
    keras.layers.Attention,
    keras.layers.GroupQueryAttention,
    keras.layers.MultiHeadAttention,
)
OF_TWO = {"Conv", "ConvTranspose", "Correlate", "Dot", "DotProductAttention", "Einsum", "Inner", "Matmul", "Tensordot"}
SORTING = {"Argsort", "Median", "Quantile", "Sort", "TopK"}
WINDOWS = {"ElasticTransform": "sigma", "GaussianBlur": "kernel_size", "SSIM": "filter_size"}  # which option says it


def check(layers, advice=""):
    """How many values are in memory at once while the layers compute one image.

    Parameters
    ----------
    layers : sequence of Layer
        In the order of computation.
    advice : str
        The end of an error message.

    Raises
    ------
    ValueError
        If one image takes too much memory or time.
    """
    last_read = {id(x): number for number, layer in enumerate(layers) for x in layer.inputs}
    live, most, multiplications, summands = {}, 1, 0, {}
    for number, layer in enumerate(layers):
        outputs = keras.tree.flatten(layer.output)
        if not isinstance(layer.layer, keras.layers.Layer) and any(None in x.shape[1:] for x in outputs):
            raise ValueError(f"the size of {layer.name}'s output depends on the pixels or the batch: leave it out")
        live |= {id(x): values(x) for x in outputs}
        most = max(most, sum(live.values()) + _within(layer))
        multiplications += _multiplications(layer)
        live = {key: count for key, count in live.items() if last_read.get(key, 0) > number}
        summands |= dict.fromkeys(map(id, outputs), _summands(layer, summands))
    if most > MOST_VALUES:
        raise ValueError(f"one image takes {most * 4 / 2**30:,.1f} GB of memory, too much to compute{advice}")
    if multiplications > MOST_MULTIPLICATIONS:
        raise ValueError(f"one image takes {multiplications / 1e9:,.0f} billion steps, too many to compute{advice}")
    if max(summands.values(), default=1) > MOST_SUMMANDS:
        raise ValueError(f"the model adds up sums of sums, of more than {MOST_SUMMANDS:,} numbers, too many to compute")
    return most


def total(layers):
    """How many values the layers output for one image, all of which are kept to compute gradients."""
    return sum(values(x) for layer in layers for x in keras.tree.flatten(layer.output))


def values(tensor):
    """How many values a symbolic tensor has for one image."""
    return math.prod(side or 1 for side in tensor.shape[1:])


def _within(layer):
    """Values that a layer keeps beside its inputs and outputs."""
    name = type(layer.layer).__name__
    if isinstance(layer.layer, ATTENTION) and layer.inputs:
        places = [values(x) // x.shape[-1] for x in (layer.inputs[0], layer.inputs[-1])]
        each = values(layer.inputs[0]) // places[0] if isinstance(layer.layer, keras.layers.AdditiveAttention) else 1
        heads = getattr(layer.layer, "num_heads", getattr(layer.layer, "num_query_heads", 1))
        return math.prod(places) * max(each, heads)
    if isinstance(layer.layer, keras.layers.CategoryEncoding):
        return sum(map(values, layer.inputs)) * layer.layer.num_tokens
    if name == "ExtractPatches":
        return layer.output.shape[-1] ** 2
    if name in WINDOWS:
        side = 6 * max(map(abs, _numbers(getattr(layer.layer, WINDOWS[name]))), default=0)  # six deviations wide
        return side**2 * (layer.inputs[0].shape[-1] or 1)
    return 0


def _numbers(option):
    return [number for number in keras.tree.flatten(option) if isinstance(number, int | float)]


def _multiplications(layer):
    """About how many multiplications a layer takes, or what takes as long."""
    made, name = layer.layer, type(layer.layer).__name__
    outputs = sum(values(x) for x in keras.tree.flatten(layer.output))
    inputs = [values(x) for x in layer.inputs]
    last = keras.tree.flatten(layer.output)[0]
    is_first = getattr(made, "data_format", None) == "channels_first" and not layer.channels_first
    places = outputs // max(1, (last.shape[1] if is_first else last.shape[-1]) or 1)
    total = (outputs + sum(inputs)) * (A_SORTED_VALUE if name in SORTING else A_VALUE)
    if isinstance(made, RECURRENT) and inputs:
        total += (layer.inputs[0].shape[1] or 1) * A_STEP
        places = max(places, inputs[0] // (layer.inputs[0].shape[-1] or 1))
    kernels = (math.prod(w.shape) for w in getattr(made, "weights", ()) if len(w.shape) > 1)
    total += sum(kernel * places for kernel in kernels if kernel != outputs)  # else one weight for each output
    total += outputs * abs(math.prod(_numbers(getattr(made, "pool_size", 1))))
    if inputs and (isinstance(made, (keras.layers.Dot, *ATTENTION)) or name in OF_TWO):
        scores = _within(layer)
        total += scores * (inputs[0] // max(1, places)) if scores else math.isqrt(inputs[0] * inputs[-1] * outputs)
    return total


def _summands(layer, before):
    """Of how many numbers a layer's output is a sum, as far as no weights are between them."""
    if getattr(layer.layer, "weights", None):
        return 1
    found = [before.get(id(x), 1) for x in layer.inputs] or [1]
    return sum(found) if type(layer.layer).__name__ in ("Add", "Average", "Subtract") else max(found)
