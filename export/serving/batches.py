"""A queue that batches: what waits while the network is busy goes through it together."""

import asyncio
import collections
import dataclasses


class FullError(Exception):
    """So many images wait that one more would wait for too long."""


@dataclasses.dataclass(eq=False)
class Waiting:
    """One image, what it costs, and the future of its answer."""

    image: object
    cost: int
    answer: asyncio.Future


class Queue:
    """`run(images)`, a list to a list of answers, on a thread of `executor`.

    A batch has at most `most` images, and one, or several that cost at most `dearest` together.
    """

    def __init__(self, run, executor, *, most, room, dearest):
        self.run, self.executor = run, executor
        self.most, self.room, self.dearest = most, room, dearest
        self.waiting = collections.deque()
        self.wake = asyncio.Event()

    async def ask(self, images, costs):
        """The answers, in order. FullError at once where there is no room."""
        if len(self.waiting) + len(images) > self.room:
            raise FullError
        loop = asyncio.get_running_loop()
        asked = [Waiting(x, cost, loop.create_future()) for x, cost in zip(images, costs)]
        self.waiting.extend(asked)
        self.wake.set()
        return await asyncio.gather(*(one.answer for one in asked))

    async def work(self):
        """Answers for ever; to be cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self.wake.wait()
            batch = self.next_batch()
            if not batch:
                self.wake.clear()
                continue
            images = [one.image for one in batch]
            try:
                answers = await loop.run_in_executor(self.executor, self.run, images)
            except Exception as error:
                settle(batch, lambda future, _, error=error: future.set_exception(error), images)
            else:
                settle(batch, lambda future, answer: future.set_result(answer), answers)

    def next_batch(self):
        batch, cost = [], 0
        while self.waiting and len(batch) < self.most:
            if batch and cost + self.waiting[0].cost > self.dearest:
                break
            one = self.waiting.popleft()
            if not one.answer.done():  # whoever asked has gone
                batch.append(one)
                cost += one.cost
        return batch


def settle(batch, how, values):
    for one, value in zip(batch, values):
        if not one.answer.done():
            how(one.answer, value)
