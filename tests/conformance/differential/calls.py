"""Callbacks and timers of the loop."""

import asyncio


async def call_soon_order(say):
    loop = asyncio.get_running_loop()
    for n in range(3):
        loop.call_soon(say, "call", n)
    say("scheduled")
    await asyncio.sleep(0)
    say("main")


async def call_soon_runs_next_turn(say):
    loop = asyncio.get_running_loop()

    def outer():
        say("outer")
        loop.call_soon(say, "inner")

    loop.call_soon(outer)
    for turn in range(3):
        await asyncio.sleep(0)
        say("turn", turn)


async def call_soon_among_tasks(say):
    loop = asyncio.get_running_loop()

    async def body(n):
        say("task", n)

    kept = []
    for n in range(3):
        loop.call_soon(say, "call", n)
        kept.append(asyncio.create_task(body(n)))
    await asyncio.sleep(0)
    say("main")


async def call_soon_cancelled(say):
    loop = asyncio.get_running_loop()
    loop.call_soon(say, "first")
    second = loop.call_soon(say, "second")
    loop.call_soon(say, "third")
    second.cancel()
    await asyncio.sleep(0)
    say("main")


async def call_later_in_order_of_time(say):
    loop = asyncio.get_running_loop()
    for delay in (30, 10, 20):
        loop.call_later(delay / 1000, lambda d=delay: say("after", d, "at", say.ms()))
    await asyncio.sleep(0.05)
    say("main at", say.ms())


async def call_at_equal_deadlines(say):
    loop = asyncio.get_running_loop()
    when = loop.time() + 0.01
    for n in range(3):
        loop.call_at(when, say, "timer", n)
    await asyncio.sleep(0.02)


async def call_later_cancelled(say):
    loop = asyncio.get_running_loop()
    loop.call_later(0.01, say, "kept")
    loop.call_later(0.005, say, "cancelled").cancel()
    await asyncio.sleep(0.02)
    say("main at", say.ms())


async def timer_schedules_a_callback(say):
    loop = asyncio.get_running_loop()
    when = loop.time() + 0.01

    def timer():
        say("timer")
        loop.call_soon(say, "soon")

    loop.call_at(when, timer)
    loop.call_at(when, say, "other timer")
    await asyncio.sleep(0.02)


async def call_at_in_the_past(say):
    loop = asyncio.get_running_loop()
    await asyncio.sleep(1)
    loop.call_at(loop.time() - 0.5, say, "timer")
    loop.call_soon(say, "soon")
    say("scheduled")
    for turn in range(3):
        await asyncio.sleep(0)
        say("turn", turn)


async def call_later_zero(say):
    loop = asyncio.get_running_loop()
    loop.call_later(0, say, "timer")
    loop.call_soon(say, "soon")
    for turn in range(3):
        await asyncio.sleep(0)
        say("turn", turn)


async def callback_that_fails(say):
    loop = asyncio.get_running_loop()

    def fails():
        raise ValueError("broken")

    loop.call_soon(say, "before")
    loop.call_soon(fails)
    loop.call_soon(say, "after")
    await asyncio.sleep(0)
    say("main")


async def cancel_from_a_callback(say):
    loop = asyncio.get_running_loop()
    handles = []
    loop.call_soon(lambda: (say("canceller"), handles[0].cancel()))
    handles.append(loop.call_soon(say, "victim"))
    await asyncio.sleep(0)
    say("main")
