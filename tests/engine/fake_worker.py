"""A worker for tests: the real loop of model.worker around a runner that obeys the job's output name.

Started as [python, "-I", this file, plugin root, load]; `load` says what happens in place of loading torch.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, sys.argv[1])

from model.errors import InputError, JobCancelled
from model.job.reporter import Reporter
from model.shared.events import BlockDone, Curve, Pretrained, Ready, Trained
from model.shared.jobs import Block, ClassifyJob, PretrainJob, TrainJob
from model.worker import heartbeat
from model.worker.loop import serve


class FakeRunner:
    def pretrain(self, job: PretrainJob, reporter: Reporter) -> Pretrained:
        reporter.note("info", f"job {job.output}")
        getattr(self, job.output)(job, reporter)
        return Pretrained((Curve("loss", (1.0, 2.0), (0.5, 0.25)),))

    def train(self, job: TrainJob, reporter: Reporter) -> Trained:
        try:
            self.wait(job, reporter)
        except JobCancelled:
            if not job.keep_partial:
                raise
            time.sleep(1.5)
        return Trained((), (), partial=True)

    def open_classifier(self, job: ClassifyJob, reporter: Reporter) -> FakeClassifier:
        if job.model == "missing":
            raise InputError("The model is not there.")
        return FakeClassifier(job, reporter)

    def quick(self, job: Any, reporter: Reporter) -> None:
        for step in range(20):
            reporter.progress("pretrain", step / 20)
            time.sleep(0.02)

    def silent(self, job: Any, reporter: Reporter) -> None:
        time.sleep(1.5)

    def wait(self, job: Any, reporter: Reporter) -> None:
        while True:
            reporter.progress("pretrain", 0.5)
            time.sleep(0.02)

    def deaf(self, job: Any, reporter: Reporter) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(
            [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"]
        )
        reporter.note("info", f"child {child.pid}")
        while True:
            time.sleep(60)

    def killed(self, job: Any, reporter: Reporter) -> None:
        print("last words", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

    def leaves(self, job: Any, reporter: Reporter) -> None:
        subprocess.Popen(["sleep", "60"])  # a child that outlives the worker
        os._exit(7)

    def crash(self, job: Any, reporter: Reporter) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def junk(self, job: Any, reporter: Reporter) -> None:
        print("junk from Python", flush=True)
        os.write(1, b'{"type": "Failed"}\n\xff\xfe junk from a library\n')
        subprocess.run(["sh", "-c", "echo junk from a child; cat"], check=True)
        if os.read(0, 1) != b"":
            raise RuntimeError("descriptor 0 is still the line to QGIS")

    def noise(self, job: Any, reporter: Reporter) -> None:
        for number in range(12_000):
            os.write(2, b"%07d %s\n" % (number, b"x" * 1000))
            if number % 100 == 0:
                time.sleep(0.01)

    def unexpected(self, job: Any, reporter: Reporter) -> None:
        raise ZeroDivisionError("nobody thought of this")

    def breaks(self, job: Any, reporter: Reporter) -> None:
        try:
            self.wait(job, reporter)
        except JobCancelled:
            raise RuntimeError("CUDA error: an illegal memory access was encountered") from None

    def says(self, job: Any, reporter: Reporter) -> None:
        """Lines that the real loop would never send: the job's text, as it is."""
        say(reporter, job.device)
        self.wait(job, reporter)

    def stopped(self, job: Any, reporter: Reporter) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)
        self.wait(job, reporter)

    def pauses(self, job: Any, reporter: Reporter) -> None:
        subprocess.Popen(["sh", "-c", f"sleep 1; kill -CONT {os.getpid()}"])
        os.kill(os.getpid(), signal.SIGSTOP)

    def hangs(self, job: Any, reporter: Reporter) -> None:
        time.sleep(60)

    def counts(self, job: Any, reporter: Reporter) -> None:
        for step in range(25):
            reporter.progress("pretrain", step / 25, step=step, steps=25)
            time.sleep(0.12)

    def input(self, job: Any, reporter: Reporter) -> None:
        raise InputError("The samples hold one class only: draw polygons of a second class.")

    def large(self, job: Any, reporter: Reporter) -> None:
        reporter.note("info", job.device[::-1])

    def surroundings(self, job: Any, reporter: Reporter) -> None:
        facts = {"environ": dict(os.environ), "cwd": os.getcwd(), "session": os.getsid(0)}
        reporter.note("info", json.dumps(facts))


def say(reporter: Reporter, lines: str) -> None:
    stdout = reporter._send.__self__._stdout  # type: ignore[attr-defined]
    stdout.write((lines + "\n").encode())
    stdout.flush()


class FakeClassifier:
    def __init__(self, job: ClassifyJob, reporter: Reporter) -> None:
        self.job, self.reporter = job, reporter

    def run(self, block: Block) -> BlockDone:
        if self.job.model == "dies" and block.number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.job.model == "fails" and block.number == 2:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        self.reporter.progress("classify", 0.5)
        if self.job.model == "slow":
            time.sleep(0.1)
        if self.job.model.startswith("{"):
            say(self.reporter, self.job.model)
        for name in (block.classes, block.confidence):
            Path(name).write_bytes(Path(block.modalities[0]).read_bytes()[::-1])
        return BlockDone(block.number, block.height * block.width)


def load() -> Ready:
    kind = sys.argv[2] if len(sys.argv) > 2 else ""
    if kind == "beats":
        heartbeat.EVERY = 0.1
    if kind == "slow":
        time.sleep(60)
    if kind == "short":
        time.sleep(1.5)
    if kind == "missing":
        raise ImportError("No module named 'torch'")
    if kind == "garbled":
        # before serve() no one may write here; the dup of descriptor 1 lies at the lowest free number after stdin's
        os.write(max(int(each) for each in os.listdir("/proc/self/fd") if _is_pipe(each)), b"this is no JSON\n")
        time.sleep(60)
    return Ready("3", "none")


def _is_pipe(descriptor: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:")
    except OSError:
        return False


if __name__ == "__main__":
    os._exit(serve(FakeRunner(), load))
