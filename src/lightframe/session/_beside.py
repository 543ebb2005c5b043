"""What is done beside the main job, while it leaves cores idle: files, pictures, judging."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["Beside"]


class Beside:
    """Threads for work whose outcome the main job asks for later, if at all.

    Parameters
    ----------
    threads : int
        How many.
    """

    def __init__(self, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="beside")
        self._begun: list[Future[None]] = []

    def do(self, work: Callable[[], None]) -> None:
        """Do something soon, unless something before it has gone wrong: then raise that."""
        pending = []
        for future in self._begun:
            if future.done():  # asked once: one that fails between two questions would be forgotten
                future.result()
            else:
                pending.append(future)
        self._begun = [*pending, self._pool.submit(work)]

    def finish(self) -> None:
        """Wait for all of it, and raise what has gone wrong."""
        for future in self._begun:
            future.result()
        self._begun.clear()

    def stop(self) -> None:
        """Wait for what is being done, and forget the rest."""
        self._pool.shutdown(cancel_futures=True)
