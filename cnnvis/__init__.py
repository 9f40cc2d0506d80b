"""What the scripts share: data, training, and the computing and drawing behind each visualization."""
