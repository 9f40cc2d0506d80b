"""What is said and stored of heat maps."""

import numpy as np

from cnnvis.attribution import sanity
from cnnvis.attribution.comparison import LEAST_LEAD
from cnnvis.attribution.methods import METHODS, layer_for, windows_for

FIELDS = ("deletion", "random_deletion", "insertion", "random_insertion", "hidden_probability")


def scores_table(compared, indices, titles):
    """The scores of each map, or with several methods the mean scores of each: title, columns and rows of a table."""
    title = (
        "Mean probability of the class while the most important pixels are hidden (lower is better) or shown (higher):"
    )
    columns = ("deletion", "at random", "insertion", "at random", "without the patch")
    if len(compared.explanations) > 1:
        rows = [
            (name, *(f"{getattr(each, field).mean():.3f}" for field in FIELDS), f"{each.seconds.mean():.2g}")
            for name, each in compared.explanations.items()
        ]
        return title, ("method", *columns, "seconds a map"), rows
    numbers = zip(*(getattr(compared.first, field) for field in FIELDS))
    rows = [
        (f"{index}: {title}", *(f"{number:.3f}" for number in row))
        for index, title, row in zip(indices, titles, numbers)
    ]
    return title, ("image", *columns), rows


def sentences(compared):
    """Which maps to believe, where several were compared: list of str."""
    found = [verdict(compared)] if len(compared.explanations) > 1 else []
    if not compared.random_weights:
        return found
    told = _likeness_that_tells(compared)
    return [*found, sanity_verdict(told, others=len(told) < len(compared.likeness))]


def verdict(compared):
    """Which method to believe for this network: one or two sentences.

    A lead over the second best, or over random maps, counts if a paired t-test at 5% says so.
    """
    values = compared.faithfulness
    ranked = sorted(values, key=lambda name: values[name].mean(), reverse=True)
    best, floor = ranked[0], compared.of_floor.mean()
    numbers = ", ".join(f"{name} {values[name].mean():.2f}" for name in ranked[1:])
    of = f"of {len(compared):,} images" if len(compared) > 1 else "of one image"
    scores = f"insertion - deletion is {values[best].mean():.2f} on average {of} ({numbers}; random maps {floor:.2f})"
    if values[best].mean() <= floor + LEAST_LEAD:
        return f"Believe none of the maps: random ones are as faithful. For {best}, the best, {scores}."
    said = f"For this network, believe {best}: {scores}."
    others = {ranked[1]: values[ranked[1]], "random maps": compared.of_floor}
    unsure = " and ".join(name for name, theirs in others.items() if not _leads(values[best] - theirs))
    return f"{said} Its lead over {unsure} may be chance: --num shows more images." if unsure else said


def _leads(lead):
    """Whether the mean of (N,) differences is more than chance."""
    from scipy.stats import t  # it takes long to import

    if len(lead) == 1:
        return False
    return lead.mean() > t.ppf(0.975, len(lead) - 1) * lead.std(ddof=1) / len(lead) ** 0.5


def sanity_verdict(likeness, others=False):
    """Which methods depend on what the network has learned: one sentence.

    `likeness` has the `sanity.likeness` of each method's maps: dict of str to (N,) float array; `others` says whether
    there are methods whose maps are the same everywhere.
    """
    if not likeness:
        return "Whether the maps depend on what the network has learned can't be said: they are the same everywhere."
    means = {name: values.mean() for name, values in likeness.items()}
    alike = [f"{name} ({mean:.2f})" for name, mean in means.items() if mean >= sanity.ALIKE]
    if alike:
        return f"Don't believe {', '.join(alike)}: much the same map is made of a network that has learned nothing."
    return f"All {'other ' * others}maps change with random weights: they depend on what the network has learned."


def _likeness_that_tells(compared):
    """The likeness of maps, but of those that are the same everywhere: they have no ranks to compare."""
    varied = {
        name: np.all([np.ptp(maps, axis=(1, 2)) > 0 for maps in (compared.explanations[name].importance, at_random)], 0)
        for name, at_random in compared.random_weights.items()
    }
    return {name: values[varied[name]] for name, values in compared.likeness.items() if varied[name].any()}


def to_save(compared, classifier, indices, *, windows, stride, layer, **how):
    """Arrays and attributes for a file; of several methods, each has a group.

    Parameters
    ----------
    compared : Comparison
    classifier : Classifier or Contrast
    indices : (N,) int array
    windows, stride, layer : as of `compare`
    **how
        Further attributes.

    Returns
    -------
    arrays, attributes : dicts
    """
    arrays, attributes = {"indices": indices}, dict(how)
    for method, explained in compared.explanations.items():
        group = f"{method}/" if len(compared.explanations) > 1 else ""
        sides, step = windows_for(method, explained.images.shape[1:3], windows, stride)
        of_layer = {"layer": layer_for(method, classifier, layer)} if METHODS[method].of_layer else {}
        about = {"method": method, "windows": sides, "stride": step} | of_layer
        attributes |= {group + name: value for name, value in about.items()}
        arrays |= {group + name: array for name, array in explained.arrays().items()}
        if compared.random_weights:
            arrays |= {f"{group}random_weights": compared.random_weights[method]}
            arrays |= {f"{group}likeness": compared.likeness[method]}
    return arrays, attributes
