"""One training on several devices or machines in step: each takes its share of every batch (`tf.distribute`)."""

import itertools
import json
import os
import signal
import zlib
from contextlib import contextmanager
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from cnnvis.keras_internals import random_states
from cnnvis.training import fast_layers
from cnnvis.training.batches import held_out_batch
from cnnvis.training.ghost_batches import GhostBatches
from cnnvis.training.loss import SmoothedCrossEntropy


def is_chief(name):
    """Whether this process is the chief under the strategy of that name: the only one of the workers that writes files.

    Raises ValueError if TF_CONFIG doesn't say so.
    """
    if name != "multiworker":
        return True
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        cluster, kind, index = config["cluster"], config["task"]["type"], int(config["task"]["index"])
        valid = (
            set(cluster) <= {"chief", "worker"}
            and all(isinstance(addresses, list) for addresses in cluster.values())
            and index in range(len(cluster[kind]))
        )
    except (KeyError, TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(
            "--strategy multiworker needs the environment variable TF_CONFIG, with the addresses of all workers "
            'and the index of this one: {"cluster": {"worker": ["host0:2222", "host1:2222"]}, '
            '"task": {"type": "worker", "index": 0}}'
        )
    return (kind, index) == ("chief" if "chief" in cluster else "worker", 0)


def start(name, fewest):
    """The tf.distribute.Strategy of that name; "none" is the default strategy, with one replica.

    "multiworker" waits for the other workers, and must come before TensorFlow computes anything.

    Parameters
    ----------
    name : {"none", "mirrored", "multiworker"}
    fewest : int
        Images in the smallest batch that the replicas share.

    Raises
    ------
    ValueError
        If a replica would get none.
    ConnectionError
        If the workers don't find each other.
    """
    if name == "none":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        strategy = tf.distribute.MirroredStrategy()
    else:
        with _interruptible():
            try:
                strategy = tf.distribute.MultiWorkerMirroredStrategy()
            except tf.errors.OpError as error:
                raise ConnectionError(f"the workers of TF_CONFIG don't find each other: {error.message}") from error
    replicas = strategy.num_replicas_in_sync
    if fewest < replicas:
        raise ValueError(
            f"{replicas} replicas can't share {fewest} images: choose a larger --batch-size or --validation"
        )
    return strategy


@contextmanager
def _interruptible():
    """Let Ctrl-C end TensorFlow's wait of up to an hour, and restore the handler of SIGTERM, which it replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def layers(strategy, recipe):
    """Makers of the network and of its batch normalisation, with which replicas take the steps of a single process.

    Replicas share the ghost batches equally. If they can't, batch normalisation sees the whole batch, across replicas.

    Parameters
    ----------
    strategy : tf.distribute.Strategy
    recipe : Recipe

    Returns
    -------
    dict of str to callable
        Attributes of `models.convnet.Variant`.
    """
    parts, left = divmod(recipe.ghost_batches, strategy.num_replicas_in_sync)
    if left:
        return {"batch_normalization": partial(keras.layers.BatchNormalization, synchronized=True)}

    def batch_normalization(momentum, **options):  # `momentum` per batch: each of its parts takes a root of it
        return fast_layers.FusedBatchNormalization(momentum=momentum ** (1 / parts), **options)

    return {"batch_normalization": batch_normalization, "network": partial(GhostBatches, parts=parts)}


def is_distributed(model):
    """Whether a model was made in the scope of a strategy."""
    return not isinstance(model.distribute_strategy, type(tf.distribute.get_strategy()))


@contextmanager
def _lost_workers():
    """Turn TensorFlow's errors on a lost worker into a ConnectionError that says what to do."""
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        raise ConnectionError("a worker was lost: start all of them again, with --resume") from error


@contextmanager
def scope(strategy):
    """The scope in which the network and its state must be created. ConnectionError if a worker is lost meanwhile."""
    with strategy.scope(), _lost_workers():
        yield


@_lost_workers()
def check_alike(model, recipe, batches):
    """Raise ValueError if the workers don't start with the same weights, recipe, seed, epoch and labels."""
    strategy = model.distribute_strategy
    if strategy.cluster_resolver is None:
        return
    digest = zlib.crc32(repr((recipe, batches.seed, batches.epoch)).encode())
    for array in (batches.labels, *model.get_weights()):
        digest = zlib.crc32(np.ascontiguousarray(array), digest)
    if len(set(strategy.gather(tf.constant([digest], tf.int64), axis=0).numpy())) > 1:
        raise ValueError(
            "the workers were not started alike: give each the same command, images and, to resume, --out folder"
        )


@_lost_workers()
def run_epochs(model, recipe, batches, held_out=None, callbacks=()):
    """Do what Keras's `fit` does, on all replicas in step; `fit` itself fails with several workers (keras#20585).

    The loss of a share is divided by the size of the whole batch, and the gradients of all shares are added up: this is
    the step of a single process.

    Parameters
    ----------
    model : keras.Model
        Built and compiled in the `scope` of a strategy.
    recipe : Recipe
    batches : Batches
        Of the whole training, the same on every worker; the first epoch is `batches.epoch`.
    held_out : Dataset, optional
        The network is evaluated on it after every epoch.
    callbacks : sequence of keras.callbacks.Callback

    Raises
    ------
    ConnectionError
        If a worker is lost.
    """
    strategy = model.distribute_strategy
    tf.function(strategy.run, autograph=False)(_vary_dropout, args=(model,))
    loss = SmoothedCrossEntropy(recipe.label_smoothing)

    def measure(images, labels, is_training=False):
        logits = model(images, training=is_training)
        right = tf.argmax(logits, axis=-1) == tf.cast(labels, tf.int64)
        return tf.stack([tf.reduce_sum(tf.cast(right, tf.float32)), tf.reduce_sum(loss.call(labels, logits))])

    def learn(images, labels):
        with tf.GradientTape() as tape:
            sums = measure(images, labels, is_training=True)
            share = sums[1] / recipe.batch_size
        model.optimizer.apply(tape.gradient(share, model.trainable_variables), model.trainable_variables)
        return sums

    def everywhere(step):
        return tf.function(lambda share: strategy.reduce("SUM", strategy.run(step, share), None), autograph=False)

    def mean(sums, count):
        return dict(zip(("accuracy", "loss"), (sums.numpy() / count).tolist()))

    train, test = everywhere(learn), everywhere(measure)
    if held_out:
        parts = max(1, len(held_out) // held_out_batch(held_out.images.shape[1:3]))
        places = np.array_split(np.arange(len(held_out)), parts)
        tests = [(held_out.images[part], held_out.labels[part]) for part in places]
        test_shares = _shares(strategy, lambda: itertools.cycle(tests))
    callbacks = keras.callbacks.CallbackList(callbacks, model=model)
    callbacks.on_train_begin()
    shares = _shares(strategy, batches.endless)
    for epoch in range(batches.epoch, recipe.epochs):
        callbacks.on_epoch_begin(epoch)
        sums = 0.0
        for step in range(len(batches)):
            callbacks.on_train_batch_begin(step)
            sums += train(next(shares))
            logs = mean(sums, (step + 1) * recipe.batch_size)
            callbacks.on_train_batch_end(step, logs)
        if held_out:
            callbacks.on_test_begin()
            sums = 0.0
            for step in range(len(tests)):
                sums += test(next(test_shares))
                callbacks.on_test_batch_end(step)
            logs |= {f"val_{name}": value for name, value in mean(sums, len(held_out)).items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end()


def _vary_dropout(model):
    """Let each replica drop other units in dropout, and the first one those that a single process would."""
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    for state in random_states(model):
        state.value.assign_add([2**20 * tf.cast(replica, tf.int64), 0])


def _shares(strategy, batches):
    """An endless iterator over the shares of batches, one per replica.

    Parameters
    ----------
    strategy : tf.distribute.Strategy
    batches : callable
        Returns an endless iterator over pairs of arrays, (N, H, W, C) and (N,), the same on every worker.
    """
    signature = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in next(batches()))

    def here(context):
        count = context.num_replicas_in_sync // context.num_input_pipelines
        first = context.input_pipeline_id * count

        def cut():
            for batch in batches():
                shares = zip(*(np.array_split(array, context.num_replicas_in_sync) for array in batch))
                yield from itertools.islice(shares, first, first + count)

        endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
        return tf.data.Dataset.from_generator(cut, output_signature=signature).apply(endless).prefetch(tf.data.AUTOTUNE)

    return iter(strategy.distribute_datasets_from_function(here))
