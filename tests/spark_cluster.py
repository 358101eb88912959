"""A standalone Spark cluster on this machine: a master and workers on the loopback, of the jars of pyspark."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path


class Cluster:
    """A master and some workers with a core each. Use it in a `with`."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder = folder
        self._port = _free_port()
        self.master = f"spark://127.0.0.1:{self._port}"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._count = workers

    def __enter__(self) -> Cluster:
        place = ["--host", "127.0.0.1", "--webui-port", "0"]
        self._start("master", "org.apache.spark.deploy.master.Master", *place, "--port", str(self._port))
        self._wait("master", "I have been elected leader")
        for number in range(self._count):
            work = ["--cores", "1", "--memory", "1g", "--work-dir", str(self._folder / f"work-{number}")]
            name = f"worker-{number}"
            self._start(name, "org.apache.spark.deploy.worker.Worker", *place, *work, self.master)
            self._wait(name, "Successfully registered with master")
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            _kill(process)

    def kill_worker(self, number: int) -> None:
        """Kill a worker and everything that it runs, as when its machine is switched off."""
        _kill(self._processes[1 + number])

    def log(self) -> str:
        """Return what the processes have said."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("*.log")))

    def _start(self, name: str, program: str, *arguments: str) -> None:
        import pyspark

        spark = Path(pyspark.__file__).parent
        environment = {**os.environ, "SPARK_HOME": str(spark), "SPARK_LOCAL_IP": "127.0.0.1"}
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - Spark's own
                [str(spark / "bin" / "spark-class"), program, *arguments],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)

    def _wait(self, name: str, text: str) -> None:
        end = time.monotonic() + 120
        while text not in (self._folder / f"{name}.log").read_text(errors="replace"):
            assert time.monotonic() < end, self.log()
            assert self._processes[-1].poll() is None, self.log()
            time.sleep(0.1)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
