"""What is said and stored of heat maps."""

import numpy as np

from cnnvis.attribution import sanity
from cnnvis.attribution.comparison import LEAST_LEAD
from cnnvis.attribution.faithfulness import in_order
from cnnvis.attribution.methods import METHODS, layer_for, windows_for

SHARE = "share of the two classes' probability"  # of the two that a `Contrast` compares
FIELDS = ("deletion", "random_deletion", "insertion", "random_insertion", "hidden_probability")


def quantities(score, against=None):
    """What a heat map is in units of, and what its deletion and insertion scores are means of: two str.

    Parameters
    ----------
    score : {"logit", "probability"}
    against : int, optional
        The class that a `Contrast` compares with.
    """
    if against is None:
        return score, "probability"
    return "difference of logits" if score == "logit" else SHARE, SHARE


def scores_table(compared, indices, titles, probability="probability"):
    """The scores of each map, or with several methods the mean scores of each: title, columns and rows of a table.

    `probability` is as of `quantities`. A map that is the same everywhere has no scores; means are of the images and
    methods that the `verdict` is about.
    """
    title = f"Mean {probability} while the most important pixels are hidden (lower is better) or shown (higher):"
    columns = ("deletion", "at random", "insertion", "at random", "without the patch")
    if len(compared.explanations) > 1:
        methods, images = _with_order(compared)
        rows = [
            (name, *_mean_scores(each[images & (name in methods)]), f"{each.seconds.mean():.2g}")
            for name, each in compared.explanations.items()
        ]
        return title, ("method", *columns, "seconds a map"), rows
    explained = compared.first
    rows = [
        (f"{index}: {title}", *_mean_scores(explained[[n]] if explained.in_order[n] else explained[:0]))
        for n, (index, title) in enumerate(zip(indices, titles))
    ]
    return title, ("image", *columns), rows


def _mean_scores(explained):
    return [f"{getattr(explained, field).mean():.3f}" if len(explained) else "-" for field in FIELDS]


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
    methods, images = _with_order(compared)
    if not images.any():
        return "Which maps to believe can't be said: on every image, one is the same everywhere."
    values, of_floor = {name: compared.faithfulness[name][images] for name in methods}, compared.of_floor[images]
    ranked = sorted(values, key=lambda name: values[name].mean(), reverse=True)
    best, floor = ranked[0], of_floor.mean()
    numbers = [", ".join(f"{name} {values[name].mean():.2f}" for name in ranked[1:]), f"random maps {floor:.2f}"]
    of = f"{len(compared):,} images" if len(compared) > 1 else "one image"
    if not images.all():
        of = f"{images.sum():,} of {of}"
        numbers.append("on the rest, a map is the same everywhere")
    among = "; ".join(filter(None, numbers))
    scores = f"insertion - deletion is {values[best].mean():.2f} on average of {of} ({among})"
    if values[best].mean() <= floor + LEAST_LEAD:
        return f"Believe none of the maps: random ones are as faithful. For {best}, the best, {scores}."
    said = f"For this network, believe {best}: {scores}."
    others = {name: values[name] for name in ranked[1:2]} | {"random maps": of_floor}
    unsure = " and ".join(name for name, theirs in others.items() if not _leads(values[best] - theirs))
    return f"{said} Its lead over {unsure} may be chance: compare more images." if unsure else said


def _with_order(compared):
    """The methods and the images to judge by: list of str, (N,) bool array.

    A method whose maps are all the same everywhere is left out, and then each image on which another's map is.
    """
    methods = [name for name, each in compared.explanations.items() if each.in_order.any()]
    return methods, np.all([compared.explanations[name].in_order for name in methods], axis=0) & bool(methods)


def _leads(lead):
    """Whether the mean of (N,) differences is more than chance."""
    from scipy.stats import t  # it takes long to import

    if len(lead) == 1:
        return False
    return lead.mean() > t.ppf(0.975, len(lead) - 1) * lead.std(ddof=1) / len(lead) ** 0.5


def sanity_verdict(likeness, others=False):
    """Which methods depend on what the network has learned: one sentence.

    With random weights, whether a logit rises or falls is arbitrary, so that a map that only changes its sign is alike.

    `likeness` has the `sanity.likeness` of each method's maps: dict of str to (N,) float array; `others` says whether
    there are methods whose maps are the same everywhere.
    """
    if not likeness:
        return "Whether the maps depend on what the network has learned can't be said: they are the same everywhere."
    means = {name: np.abs(values).mean() for name, values in likeness.items()}
    alike = [f"{name} ({mean:.2f})" for name, mean in means.items() if mean >= sanity.ALIKE]
    if alike:
        same = "much the same map, perhaps with its sign changed, is made of a network that has learned nothing"
        return f"Don't believe {', '.join(alike)}: {same}."
    return f"All {'other ' * others}maps change with random weights: they depend on what the network has learned."


def _likeness_that_tells(compared):
    """The likeness of maps, but of those that are the same everywhere: they have no ranks to compare."""
    tells = {
        name: compared.explanations[name].in_order & in_order(at_random)
        for name, at_random in compared.random_weights.items()
    }
    return {name: values[tells[name]] for name, values in compared.likeness.items() if tells[name].any()}


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
