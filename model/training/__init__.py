"""Pre-training without labels, and training of the classifier from labelled pixels."""
