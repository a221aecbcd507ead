"""The process itself: reads jobs, runs them one after another, writes events."""
