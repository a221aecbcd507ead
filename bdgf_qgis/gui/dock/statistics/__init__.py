"""Statistics of the samples, made beside the window and shown in the dock."""
