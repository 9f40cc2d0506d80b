"""What the scripts share: data, training, and the computing and drawing behind each visualization.

Import it before TensorFlow: `processor.prepare` says why.
"""

from cnnvis import processor

processor.prepare()
