"""What every job is given: a way to report, and to hear that it is to stop."""
