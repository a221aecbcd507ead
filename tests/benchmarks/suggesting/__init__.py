"""A round of labelling: a map from few pixels, some more chosen by a rule, and what the next map gains."""
