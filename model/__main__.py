"""The worker process: reads jobs, writes events. Called with WITHOUT_TORCH it loads no torch, for jobs of regions."""

from __future__ import annotations

import os
import sys

from .shared.messages import WITHOUT_TORCH
from .worker.loop import ModelRunner, load_scikit_image, load_torch, serve

if __name__ == "__main__":
    status = serve(ModelRunner(), load_scikit_image if WITHOUT_TORCH in sys.argv else load_torch)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # no tear-down of torch: it takes long and can crash
