"""A film of a training: what the network makes of one image, and how its first filters change."""

import io
from dataclasses import dataclass, replace

import keras
import numpy as np
from scipy.linalg import qr

from cnnvis.console import complete, notice, shown
from cnnvis.network import compiled

MOST_EPOCHS = 48  # whose ends are kept
MOST_MAPS, MOST_FILTERS = 4, 64
MOST_SIDE = 64  # positions of a feature map; of a larger one, every second, third, ... row and column is kept
IN_COLOUR = (1, 3)  # inputs of filters that can be drawn as small images, grey or in colour


@dataclass(frozen=True)
class Frame:
    """One moment of a training.

    Attributes
    ----------
    step : int
        Steps taken so far; 0 is before the training.
    probabilities : (K,) float32 array
        Of the image.
    maps : (h, w, M) float32 array
        The layer's output for the image, in `Film.channels`.
    filters : (height, width, c, F) float32 array
        The layer's first `MOST_FILTERS` filters: their signed weights if they have 1 or 3 inputs; otherwise, c is 1,
        and a value is the length of the vector of the weights at that place, one weight for each input.
    accuracy, held_out : float
        On the training images of the epoch so far, augmented, and on held-out images; NaN if unknown.
    """

    step: int
    probabilities: np.ndarray
    maps: np.ndarray
    filters: np.ndarray
    accuracy: float
    held_out: float

    def is_like(self, other):
        """Whether the arrays of another frame have the same shapes."""
        names = ("probabilities", "maps", "filters")
        return all(getattr(self, name).shape == getattr(other, name).shape for name in names)


class Film(keras.callbacks.Callback):
    """Keeps frames of a training: before it, after the steps 1, 2, 4, 8, ... of the first epoch, and after every epoch.

    The last frame is of the finished network, with the weights and statistics of its checkpoint. The network is
    computed in float32, as its checkpoint would be; that changes nothing in the training. Of more than `MOST_EPOCHS`
    epochs, every second, fourth, ... is kept, and always the last.

    It shows the filters of the first CONV layer that learns (in `deep`, `conv1`: the whitening layer before it is
    fixed), and some of its feature maps, always in the same channels: those that vary most at the beginning, each where
    the earlier ones don't explain it. A network without a CONV layer has probabilities only.

    Parameters
    ----------
    dataset : Dataset
        The film is about its first image.
    path : Path, optional
        A file where the frames are kept after every epoch, for a run that is resumed.

    Attributes
    ----------
    image : (H, W, 3) uint8 array
    label : int
    classes : tuple of str
    frames : list of Frame
    steps, epochs : int
        Steps per epoch; epochs of the whole training.
    layer : str
        The CONV layer's name; "" without one.
    learns : bool
        Whether it learns: it doesn't if a network to start from keeps all its CONV layers still.
    inputs, count : int
        Inputs of each of its filters, and how many filters it has.
    channels : (M,) int array
        Of the feature maps, at most `MOST_MAPS`.
    finished : int
        The epoch that the finished network has its weights of; 0 before there is one.
    """

    def __init__(self, dataset, path=None):
        super().__init__()
        self.image, self.label, self.classes = dataset.images[0], int(dataset.labels[0]), dataset.classes
        self.path, self.frames, self.epoch, self.finished = path, [], 0, 0

    def begin(self, network, *, steps, epochs, done=0):
        """Begin, or go on, with a network.

        Parameters
        ----------
        network : keras.Model
            Ends in probabilities, and has the weights of the trained model, whose copy it is.
        steps, epochs : int
            Steps per epoch; epochs of the whole training.
        done : int
            Complete epochs of a run that is resumed: their frames are read.
        """
        self.network, self.steps, self.epochs = network, steps, epochs
        self.conv = _first_conv(network)
        self.layer, self.learns = (self.conv.name, bool(self.conv.trainable_weights)) if self.conv else ("", False)
        self.inputs, self.count = self.conv.kernel.shape[-2:] if self.conv else (0, 0)
        tensors = {"probabilities": network.outputs[0]} | ({"maps": self.conv.output} if self.conv else {})
        self.compute = compiled(keras.Model(network.inputs, tensors))
        probabilities, maps, filters = self._look()
        self.channels = most_varied(maps)
        now = Frame(steps * done, probabilities, maps[..., self.channels], filters, np.nan, np.nan)
        self.frames = (self._read(now) if done else []) or [now]

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if self.epoch == 0 and step < self.steps and step & (step - 1) == 0:  # a power of two
            self._add(step, logs["accuracy"])

    def on_epoch_end(self, epoch, logs=None):
        self._add(self.steps * (epoch + 1), logs["accuracy"], logs.get("val_accuracy", np.nan))
        remain = thinned([frame.step for frame in self.frames], self.steps)
        self.frames = [self.frames[place] for place in remain]
        if self.path:
            self._write()

    def end(self, epoch):
        """Let the last frame show the network that was begun with, which is finished now.

        It takes the place of the frame after its epoch; if early stopping went back, it comes after all others.
        """
        probabilities, maps, filters = self._look()
        last = self.frames[-1]
        shown = {"probabilities": probabilities, "maps": maps[..., self.channels], "filters": filters}
        if last.step == self.steps * epoch:
            self.frames[-1] = replace(last, **shown)
        else:
            self.frames.append(replace(last, accuracy=np.nan, held_out=np.nan, **shown))
        self.finished = epoch

    def _add(self, step, accuracy, held_out=np.nan):
        self.network.set_weights(self.model.get_weights())
        probabilities, maps, filters = self._look()
        self.frames.append(Frame(step, probabilities, maps[..., self.channels], filters, accuracy, held_out))

    def _look(self):
        """The network's probabilities, (K,); its feature maps, (h, w, C); and its filters, as in a `Frame`."""
        outputs = self.compute(self.image[None])
        if not self.conv:
            return outputs["probabilities"][0], np.zeros((1, 1, 0), "float32"), np.zeros((1, 1, 1, 0), "float32")
        maps = outputs["maps"][0]
        if self.conv.data_format == "channels_first":
            maps = maps.transpose(1, 2, 0)
        step = -(-max(maps.shape[:2]) // MOST_SIDE)
        filters = self.conv.kernel.numpy()[..., :MOST_FILTERS]
        if filters.shape[2] not in IN_COLOUR:
            filters = np.linalg.norm(filters, axis=2, keepdims=True)
        return outputs["probabilities"][0], maps[::step, ::step, :MOST_FILTERS], filters

    def _write(self):
        content = io.BytesIO()
        columns = {name: [getattr(frame, name) for frame in self.frames] for name in Frame.__dataclass_fields__}
        np.savez(content, channels=self.channels, **columns)
        with complete(self.path) as unfinished:
            unfinished.write_bytes(content.getbuffer())

    def _read(self, now):
        """The frames up to the step of `now`, of arrays like its own; none, and a notice, if they can't be read."""
        try:
            with np.load(self.path, allow_pickle=False) as file:
                columns = [file[name] for name in Frame.__dataclass_fields__]
                channels = file["channels"]
            frames = [Frame(int(step), *arrays, float(a), float(h)) for step, *arrays, a, h in zip(*columns)]
            if channels.shape != self.channels.shape or frames[0].step or not all(map(now.is_like, frames)):
                raise ValueError("it belongs to another network")
        except Exception:  # zipfile, zlib and NumPy each raise errors of their own
            notice(f"{shown(self.path)} is missing or damaged: the film begins after epoch {now.step // self.steps}.")
            return []
        self.channels = channels
        return [frame for frame in frames if frame.step <= now.step]


def most_varied(maps):
    """The channels, at most `MOST_MAPS`, of which each varies most where those before it don't explain it.

    (h, w, C) feature maps -> (M,) int array, in ascending order.
    """
    if not maps.size:
        return np.arange(0)
    values = np.nan_to_num(maps.reshape(-1, maps.shape[-1]).astype("float64"))
    _, order = qr(values - values.mean(axis=0), mode="r", pivoting=True)
    return np.sort(order[:MOST_MAPS])


def thinned(steps, steps_per_epoch, most=MOST_EPOCHS):
    """Which frames remain: of the first epoch all, of the others every 1st, 2nd, 4th, 8th, ..., and the last.

    Parameters
    ----------
    steps : list of int
        Of the frames, ascending.
    steps_per_epoch : int
    most : int
        Frames after the first epoch, but for the last.

    Returns
    -------
    list of int
        Places in `steps`. What remains doesn't depend on how often it was thinned before.
    """
    every = 1
    while steps[-1] > every * most * steps_per_epoch:
        every *= 2
    return [
        place
        for place, step in enumerate(steps)
        if step <= steps_per_epoch or step % (every * steps_per_epoch) == 0 or step == steps[-1]
    ]


def _first_conv(network):
    """The first CONV layer that learns; rather one with filters larger than a pixel. None if there is no CONV layer."""
    convs = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    return min(convs, key=lambda conv: (not conv.trainable_weights, max(conv.kernel_size) == 1), default=None)
