"""What happens inside a network, on a page that runs it in the browser?

The page's data, small enough for one file; the network, converted for TensorFlow.js; and the page itself, which is
built from `page/`.

>>> from cnnvis import explore
>>> explore.significant([0.123456, 1234.5], digits=2)
[0.12, 1200.0]
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "chapters": ["CHAPTERS", "CHAPTERS_FILE", "article"],
        "choosing": ["to_choose_from"],
        "training_digits": ["digits"],
        "page_data": [
            "as_page",
            "explanations",
            "filters",
            "network",
            "results",
            "shown_images",
            "significant",
        ],
    },
)
