"""The worker process: started, spoken to in messages, watched, ended, and kept for the next run."""
