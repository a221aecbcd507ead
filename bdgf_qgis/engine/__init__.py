"""Where the worker's Python lives, how the worker is started, spoken to and stopped."""
