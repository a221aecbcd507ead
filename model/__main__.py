"""The worker process: reads jobs, writes events."""

from __future__ import annotations

import os
import sys

from .worker.loop import ModelRunner, serve

if __name__ == "__main__":
    status = serve(ModelRunner())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # no tear-down of torch: it takes long and can crash
