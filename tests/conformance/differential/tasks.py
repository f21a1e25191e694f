"""Tasks: when they start, end and are cancelled."""

import asyncio


async def _twice(say, name):
    say(name, "first")
    await asyncio.sleep(0)
    say(name, "second")


async def _outcome(task):
    try:
        return await task
    except asyncio.CancelledError:
        return "cancelled"
    except Exception as error:
        return f"failed: {error}"


async def task_starts_next_turn(say):
    task = asyncio.create_task(_twice(say, "task"))
    say("created")
    await asyncio.sleep(0)
    say("turn")
    await task
    say("main")


async def tasks_take_turns(say):
    for task in [asyncio.create_task(_twice(say, n)) for n in "abc"]:
        await task
    say("main")


async def task_makes_a_task(say):
    async def outer():
        say("outer")
        inner = asyncio.create_task(_twice(say, "inner"))
        say("made")
        await inner
        say("outer ends")

    task = asyncio.create_task(outer())
    for turn in range(4):
        await asyncio.sleep(0)
        say("turn", turn)
    await task


async def await_wakes_in_the_next_turn(say):
    async def child():
        say("child")

    async def other():
        for turn in range(4):
            say("other", turn)
            await asyncio.sleep(0)

    kept = asyncio.create_task(other())
    await asyncio.create_task(child())
    say("main")
    await kept


async def await_a_done_task(say):
    async def value():
        return 7

    task = asyncio.create_task(value())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(say, "soon")
    say(await task)
    say("no turn passed")
    await asyncio.sleep(0)


async def done_callbacks_are_scheduled(say):
    async def body():
        say("body")

    task = asyncio.create_task(body())
    task.add_done_callback(lambda _: say("first"))
    task.add_done_callback(lambda _: say("second"))
    for turn in range(3):
        await asyncio.sleep(0)
        say("turn", turn)


async def done_callback_of_a_done_task(say):
    async def body():
        say("body")

    task = asyncio.create_task(body())
    await task
    task.add_done_callback(lambda _: say("callback"))
    say("added")
    await asyncio.sleep(0)
    say("main")


async def done_callback_and_awaiter(say):
    async def body():
        say("body")

    task = asyncio.create_task(body())
    task.add_done_callback(lambda _: say("callback"))
    await task
    say("awaiter")


async def cancel_before_the_start(say):
    task = asyncio.create_task(_twice(say, "task"))
    say(task.cancel())
    say(await _outcome(task))


async def cancel_while_sleeping(say):
    async def sleeper():
        try:
            await asyncio.sleep(10)
        finally:
            say("gone")

    task = asyncio.create_task(sleeper())
    await asyncio.sleep(0.01)
    say(task.cancel(), task.done())
    say(await _outcome(task), "at", say.ms())


async def cancel_when_done(say):
    task = asyncio.create_task(_twice(say, "task"))
    await task
    say(task.cancel(), task.cancelled())


async def cancel_twice(say):
    task = asyncio.create_task(asyncio.sleep(10))
    await asyncio.sleep(0)
    say(task.cancel(), task.cancel())
    say(await _outcome(task))


async def cancel_in_order(say):
    async def sleeper(name):
        try:
            await asyncio.sleep(10)
        finally:
            say("gone", name)

    made = [asyncio.create_task(sleeper(n)) for n in "abc"]
    await asyncio.sleep(0)
    for n in (2, 0, 1):
        made[n].cancel()
    say("asked")
    await asyncio.sleep(0)
    say("main")


async def cancel_after_the_wake(say):
    event = asyncio.Event()

    async def waiter():
        await event.wait()
        say("went on")

    task = asyncio.create_task(waiter())
    await asyncio.sleep(0)
    event.set()
    task.cancel()
    say(await _outcome(task))


async def cancel_the_awaiter(say):
    async def inner():
        await asyncio.sleep(0.01)
        say("inner ends")

    task = asyncio.create_task(inner())

    async def outer():
        await task

    awaiter = asyncio.create_task(outer())
    await asyncio.sleep(0)
    awaiter.cancel()
    say(await _outcome(awaiter))
    await asyncio.sleep(0.02)
    say("inner cancelled:", task.cancelled())


async def task_that_fails(say):
    async def fails():
        raise ValueError("broken")

    say(await _outcome(asyncio.create_task(fails())))
    say("main")


async def current_task_in_places(say):
    async def body():
        say("task:", asyncio.current_task() is not None)

    asyncio.get_running_loop().call_soon(
        lambda: say("callback:", asyncio.current_task() is not None)
    )
    await asyncio.create_task(body())


async def all_tasks_counts_the_unfinished(say):
    made = [asyncio.create_task(asyncio.sleep(n / 100)) for n in (1, 2, 3)]
    say(len(asyncio.all_tasks()))
    await made[0]
    say(len(asyncio.all_tasks()))
    await made[2]
    say(len(asyncio.all_tasks()))
