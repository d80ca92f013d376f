"""Posts webhooks as Stripe does: signed anew each time, many at a time, and again until a 2xx comes back."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

import httpx2

from demo.story import Post
from staging.signing import signature

AT_A_TIME: Final = 16
ANSWER_WITHIN_SECONDS: Final = 4.0
FIRST_PAUSE_SECONDS: Final = 0.3
LONGEST_PAUSE_SECONDS: Final = 2.0


class Poster:
    """Posts to one receiver, in order more or less. `allow` says how far it may go.

    `accepted` are the ids of the events that were answered with 2xx; `statuses` counts every answer, 0 for none.
    """

    def __init__(self, url: str, secret: str, posts: Sequence[Post]) -> None:
        self._url = f"{url}/webhooks/stripe"
        self._secret = secret
        self._posts = posts
        self._allowed = 0
        self._opened = asyncio.Event()
        self._retries = random.Random(0)  # noqa: S311 - spreads retries, guards nothing
        self._under_way = 0
        self.posted = 0
        self.accepted: set[str] = set()
        self.done = 0
        self.statuses: Counter[int] = Counter()

    @property
    def finished(self) -> bool:
        """Whether every post has been accepted."""
        return self.done == len(self._posts)

    @property
    def waits(self) -> bool:
        """Whether it has posted all that it may."""
        return self.posted >= self._allowed

    def allow(self, posts: int) -> None:
        """Let it begin so many posts in all, never fewer than before."""
        self._allowed = max(self._allowed, posts)
        self._opened.set()

    async def run(self) -> None:
        """Post everything that is allowed, until all has been accepted. Safe to cancel."""
        free = asyncio.Semaphore(AT_A_TIME)
        timeout = httpx2.Timeout(ANSWER_WITHIN_SECONDS)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=AT_A_TIME)
        async with (
            httpx2.AsyncClient(timeout=timeout, limits=limits, trust_env=False) as http,
            asyncio.TaskGroup() as group,
        ):
            for post in self._posts:
                while self.waits:
                    self._opened.clear()
                    await self._opened.wait()
                await free.acquire()
                self.posted += 1
                group.create_task(self._deliver(http, post, free))

    async def _deliver(self, http: httpx2.AsyncClient, post: Post, free: asyncio.Semaphore) -> None:
        """Post until it is accepted. The place in the line is given up after the first try: others may overtake."""
        accepted = await self._try(http, post)
        free.release()
        pause = FIRST_PAUSE_SECONDS
        while not accepted:
            await asyncio.sleep(pause * self._retries.uniform(0.5, 1.5))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            accepted = await self._try(http, post)
        self.accepted.add(post.event)
        self.done += 1

    async def _try(self, http: httpx2.AsyncClient, post: Post) -> bool:
        at = int(time.time())
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature(post.body, self._secret, at)}
        try:
            answer = await http.post(self._url, content=post.body, headers=headers)
        except httpx2.TransportError:
            self.statuses[0] += 1
            return False
        self.statuses[answer.status_code] += 1
        return answer.is_success
