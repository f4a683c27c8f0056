"""Training beside Keras' fit and PyTorch: a step, short rounds, and what replicas cost."""
