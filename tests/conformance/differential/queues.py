"""Queues."""

import asyncio


async def queue_hands_over_in_order(say):
    queue = asyncio.Queue()

    async def consumer():
        for _ in range(4):
            say("got", await queue.get())

    task = asyncio.create_task(consumer())
    for n in range(4):
        await queue.put(n)
        say("put", n)
    await task


async def queue_full_makes_putters_wait(say):
    queue = asyncio.Queue(1)

    async def producer():
        for n in range(4):
            await queue.put(n)
            say("put", n)

    task = asyncio.create_task(producer())
    await asyncio.sleep(0)
    for _ in range(4):
        say("got", await queue.get())
    await task


async def queue_getters_in_order(say):
    queue = asyncio.Queue()

    async def getter(name):
        say(name, "got", await queue.get())

    made = [asyncio.create_task(getter(n)) for n in "abc"]
    await asyncio.sleep(0)
    for n in range(3):
        queue.put_nowait(n)
    await asyncio.wait(made)


async def queue_getter_cancelled(say):
    queue = asyncio.Queue()

    async def getter(name):
        say(name, "got", await queue.get())

    made = [asyncio.create_task(getter(n)) for n in "abc"]
    await asyncio.sleep(0)
    made[0].cancel()
    queue.put_nowait(0)
    queue.put_nowait(1)
    await asyncio.wait(made)
    say("left", queue.qsize())


async def queue_woken_getter_cancelled(say):
    queue = asyncio.Queue()

    async def getter(name):
        say(name, "got", await queue.get())

    made = [asyncio.create_task(getter(n)) for n in "ab"]
    await asyncio.sleep(0)
    queue.put_nowait(0)
    made[0].cancel()
    await asyncio.wait(made, timeout=0.01)
    say(made[1].done(), queue.qsize())
    made[1].cancel()


async def queue_join_waits_for_every_item(say):
    queue = asyncio.Queue()

    async def worker():
        while True:
            item = await queue.get()
            await asyncio.sleep(0.01)
            say("worked on", item, "at", say.ms())
            queue.task_done()

    task = asyncio.create_task(worker())
    for n in range(3):
        queue.put_nowait(n)
    await queue.join()
    say("joined at", say.ms())
    task.cancel()


async def lifo_queue_order(say):
    queue = asyncio.LifoQueue()
    for n in (1, 3, 2):
        queue.put_nowait(n)
    for _ in range(3):
        say(await queue.get())


async def priority_queue_order(say):
    queue = asyncio.PriorityQueue()
    for n in (2, 3, 1):
        queue.put_nowait(n)
    for _ in range(3):
        say(await queue.get())


async def queue_that_has_something_does_not_wait(say):
    queue = asyncio.Queue()
    queue.put_nowait("item")
    asyncio.get_running_loop().call_soon(say, "soon")
    say(await queue.get())
    say("no turn passed")
    await asyncio.sleep(0)
