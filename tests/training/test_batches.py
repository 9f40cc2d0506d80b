"""Batches hold the right images and labels, in an order that can be repeated."""

import dataclasses

import numpy as np

from cnnvis.training import augmentation, recipes
from cnnvis.training.batches import Batches, dataset_of

RECIPE = recipes.RECIPES["deep"]


def test_batches_depend_on_seed_epoch_and_position_only(images):
    recipe = dataclasses.replace(RECIPE, batch_size=3)
    labels = np.arange(7)
    batches = Batches(images, labels, recipe, seed=1)
    assert len(batches) == 2
    epochs = [list(batches.next_epoch()) for _ in range(3)]
    assert batches.epoch == 3
    resumed = Batches(images, labels, recipe, seed=1, epoch=2)
    for (x, y), (again_x, again_y) in zip(epochs[2], resumed.next_epoch(), strict=True):
        np.testing.assert_array_equal(again_x, x)
        np.testing.assert_array_equal(again_y, y)
    endless = Batches(images, labels, recipe, seed=1, epoch=1).endless()
    for x, y in (batch for epoch in epochs[1:] for batch in epoch):
        again_x, again_y = next(endless)
        np.testing.assert_array_equal(again_x, x)
        np.testing.assert_array_equal(again_y, y)
    assert len({tuple(np.concatenate([y for _, y in epoch])) for epoch in epochs}) == 3
    for epoch in epochs:
        seen = np.concatenate([y for _, y in epoch])
        assert len(set(seen)) == 6  # none twice


def test_an_epoch_can_show_every_image_several_times(images):
    recipe = dataclasses.replace(RECIPE, batch_size=4, repeats=3, crop_margin=0, flip="alternating")
    batches = Batches(images, np.arange(7), recipe, seed=1)
    assert len(batches) == 5  # of 21 images
    labels, mirrored = [], []
    for x, y in (batch for epoch in range(2) for batch in batches.of_epoch(epoch)):
        labels += [y]
        mirrored += [(x == images[y]).all(axis=(1, 2, 3)).tolist()]
    labels, mirrored = np.concatenate(labels), np.concatenate(mirrored)
    assert np.bincount(labels[:20]).max() == 3
    assert sorted(labels[:7]) == sorted(labels[7:14]) == list(range(7))
    first, second = (mirrored[start : start + 7][np.argsort(labels[start : start + 7])] for start in (0, 7))
    assert (first != second).all()


def test_light_and_jpeg_and_cutout_come_after_crops_and_flips(images):
    recipe = dataclasses.replace(RECIPE, batch_size=7)
    changed = dataclasses.replace(recipe, brightness=0.3, contrast=0.2, jpeg=0.5, cutout=5)
    (x, y), (changed_x, changed_y) = (
        next(Batches(images, np.arange(7), r, seed=1).of_epoch(3)) for r in (recipe, changed)
    )
    rng = np.random.default_rng([1, 3, 0])
    augmentation.random_crop(augmentation.pad(images, 2), 2, rng)
    expected = augmentation.compress(augmentation.change_light(x, 0.3, 0.2, rng), 0.5, rng)
    mean = images.reshape(-1, 3).mean(axis=0).round()
    np.testing.assert_array_equal(changed_x, augmentation.cut_out(expected, 5, mean, rng))
    np.testing.assert_array_equal(changed_y, y)
    assert (changed_x != x).any(axis=(1, 2, 3)).all()


def test_tensorflow_does_not_tune_the_pipeline():
    pipeline = dataset_of(lambda: iter([(np.zeros((2, 4)), np.zeros(2))]), 1, (np.zeros((2, 4)), np.zeros(2)))
    assert pipeline.options().autotune.enabled is False
    assert pipeline.cardinality() == 1


def test_labels_stay_with_their_images():
    images = np.repeat(np.arange(20, dtype="uint8"), 32 * 32 * 3).reshape(20, 32, 32, 3)
    batches = Batches(images, np.arange(20), dataclasses.replace(RECIPE, batch_size=10), seed=0)
    for x, y in batches.of_epoch(0):
        np.testing.assert_array_equal(x[:, 3, 3, 0], y)
