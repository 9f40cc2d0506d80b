"""What a network is, and how it is kept: the architectures and their checkpoints."""
