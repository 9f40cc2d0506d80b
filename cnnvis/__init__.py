"""What the scripts share: images, training, and the computing and drawing behind each visualization.

Import it before TensorFlow; `processor.prepare` explains why.
"""

from cnnvis import processor

processor.prepare()
