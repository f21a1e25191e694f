"""sleep and timeouts."""

import asyncio


async def sleeps_end_in_order_of_time(say):
    async def body(ms):
        await asyncio.sleep(ms / 1000)
        say(ms, "at", say.ms())

    made = [asyncio.create_task(body(ms)) for ms in (30, 10, 20)]
    for task in made:
        await task


async def equal_sleeps_end_in_order(say):
    async def body(n):
        await asyncio.sleep(0.01)
        say(n)

    made = [asyncio.create_task(body(n)) for n in range(3)]
    for task in made:
        await task


async def sleep_takes_more_than_a_turn(say):
    async def body():
        await asyncio.sleep(0.01)
        say("slept")

    task = asyncio.create_task(body())
    for turn in range(3):
        await asyncio.sleep(0)
        say("turn", turn)
    await task


async def timeout_in_time(say):
    say(await asyncio.wait_for(asyncio.sleep(0.01, "value"), 0.02), "at", say.ms())


async def timeout_expires(say):
    async def body():
        try:
            await asyncio.sleep(10)
        finally:
            say("gone at", say.ms())

    try:
        await asyncio.wait_for(body(), 0.01)
    except TimeoutError:
        say("timed out at", say.ms())


async def timeout_of_something_ready(say):
    async def value():
        return "value"

    say(await asyncio.wait_for(value(), 0.01))


async def timeout_of_zero(say):
    async def body():
        say("polled")
        await asyncio.sleep(0.01)

    try:
        await asyncio.wait_for(body(), 0)
    except TimeoutError:
        say("timed out at", say.ms())


async def nested_timeouts(say):
    async def inner():
        try:
            await asyncio.wait_for(asyncio.sleep(10), 0.01)
        except TimeoutError:
            say("inner at", say.ms())
        await asyncio.sleep(10)

    try:
        await asyncio.wait_for(inner(), 0.02)
    except TimeoutError:
        say("outer at", say.ms())


async def outer_timeout_first(say):
    async def inner():
        try:
            await asyncio.wait_for(asyncio.sleep(10), 0.02)
        except TimeoutError:
            say("inner at", say.ms())

    try:
        await asyncio.wait_for(inner(), 0.01)
    except TimeoutError:
        say("outer at", say.ms())


async def cancel_beats_the_timeout(say):
    async def body():
        try:
            await asyncio.wait_for(asyncio.sleep(10), 0.02)
        except TimeoutError:
            say("timed out")

    task = asyncio.create_task(body())
    await asyncio.sleep(0.01)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        say("cancelled at", say.ms())
    await asyncio.sleep(0.02)
    say("main at", say.ms())
