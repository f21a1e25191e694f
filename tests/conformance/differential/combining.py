"""gather, wait, as_completed, shield."""

import asyncio


async def _after(say, ms, value):
    await asyncio.sleep(ms / 1000)
    say("ends", value)
    return value


def _tasks(say, *delays):
    return [asyncio.create_task(_after(say, ms, n)) for n, ms in enumerate(delays)]


async def gather_keeps_the_order(say):
    say(*await asyncio.gather(*_tasks(say, 30, 10, 20)))
    say("at", say.ms())


async def gather_of_nothing(say):
    say(len(await asyncio.gather()))


async def gather_starts_in_order(say):
    async def body(n):
        say("starts", n)
        await asyncio.sleep(0)
        say("goes on", n)

    await asyncio.gather(*[asyncio.create_task(body(n)) for n in range(3)])


async def gather_turns(say):
    async def ticker():
        for turn in range(5):
            say("turn", turn)
            await asyncio.sleep(0)

    async def nothing():
        pass

    kept = asyncio.create_task(ticker())
    await asyncio.gather(*[asyncio.create_task(nothing()) for _ in range(2)])
    say("gathered")
    await kept


async def gather_with_a_failure(say):
    async def fails():
        await asyncio.sleep(0.01)
        raise ValueError("broken")

    failing = asyncio.create_task(fails())
    sibling = asyncio.create_task(_after(say, 20, "sibling"))
    try:
        await asyncio.gather(failing, sibling)
    except ValueError as error:
        say("failed:", error, "at", say.ms())
    say(await sibling, "at", say.ms())


async def gather_all_outcomes(say):
    async def fails():
        raise ValueError("broken")

    made = [asyncio.create_task(fails()), *_tasks(say, 10)]
    made.append(asyncio.create_task(asyncio.sleep(10)))
    made[2].cancel()
    for outcome in await asyncio.gather(*made, return_exceptions=True):
        if isinstance(outcome, asyncio.CancelledError):
            say("cancelled")
        elif isinstance(outcome, Exception):
            say("failed:", outcome)
        else:
            say(outcome)


async def wait_for_the_first(say):
    done, pending = await asyncio.wait(
        _tasks(say, 20, 10, 30), return_when=asyncio.FIRST_COMPLETED
    )
    say(len(done), len(pending), "at", say.ms())
    await asyncio.wait(pending)


async def wait_for_all(say):
    done, pending = await asyncio.wait(_tasks(say, 20, 10, 30))
    say(len(done), len(pending), "at", say.ms())


async def wait_for_an_exception(say):
    async def fails():
        await asyncio.sleep(0.015)
        raise ValueError("broken")

    made = [*_tasks(say, 10, 30), asyncio.create_task(fails())]
    done, pending = await asyncio.wait(made, return_when=asyncio.FIRST_EXCEPTION)
    say(len(done), len(pending), "at", say.ms())
    await asyncio.wait(pending)


async def wait_with_a_timeout(say):
    made = _tasks(say, 10, 30)
    done, pending = await asyncio.wait(made, timeout=0.02)
    say(len(done), len(pending), "at", say.ms())
    for task in pending:
        say(await task, "at", say.ms())


async def as_completed_in_order_of_the_end(say):
    for task in asyncio.as_completed(_tasks(say, 30, 10, 20)):
        say("got", await task, "at", say.ms())


async def shield_from_cancellation(say):
    inner = asyncio.create_task(_after(say, 20, "inner"))

    async def outer():
        await asyncio.shield(inner)

    task = asyncio.create_task(outer())
    await asyncio.sleep(0.01)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        say("outer cancelled at", say.ms())
    say(await inner, "at", say.ms())
