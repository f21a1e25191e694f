"""Locks, events, conditions, semaphores, barriers, futures."""

import asyncio


async def _all(*coroutines):
    for task in [asyncio.create_task(c) for c in coroutines]:
        await task


async def lock_is_fair(say):
    lock = asyncio.Lock()

    async def body(name):
        async with lock:
            say(name, "in")
            await asyncio.sleep(0.01)
            say(name, "out")

    await _all(*[body(n) for n in "abc"])


async def lock_lets_nobody_barge(say):
    lock = asyncio.Lock()

    async def waiter():
        async with lock:
            say("waiter")

    await lock.acquire()
    task = asyncio.create_task(waiter())
    await asyncio.sleep(0)
    lock.release()
    async with lock:
        say("main")
    await task


async def lock_waiter_cancelled(say):
    lock = asyncio.Lock()

    async def body(name):
        async with lock:
            say(name)

    await lock.acquire()
    made = [asyncio.create_task(body(n)) for n in "abc"]
    await asyncio.sleep(0)
    made[0].cancel()
    await asyncio.sleep(0)
    lock.release()
    await asyncio.wait(made)


async def lock_woken_waiter_cancelled(say):
    lock = asyncio.Lock()

    async def body(name):
        async with lock:
            say(name)

    await lock.acquire()
    made = [asyncio.create_task(body(n)) for n in "ab"]
    await asyncio.sleep(0)
    lock.release()
    made[0].cancel()
    await asyncio.wait(made)
    say("locked:", lock.locked())


async def event_wakes_all_in_order(say):
    event = asyncio.Event()

    async def waiter(n):
        await event.wait()
        say("woken", n)

    made = [asyncio.create_task(waiter(n)) for n in range(3)]
    await asyncio.sleep(0)
    event.set()
    say("set")
    await asyncio.sleep(0)
    say("main")
    await asyncio.wait(made)


async def event_set_and_cleared(say):
    event = asyncio.Event()

    async def waiter(n):
        await event.wait()
        say("woken", n)

    task = asyncio.create_task(waiter(0))
    await asyncio.sleep(0)
    event.set()
    event.clear()
    late = asyncio.create_task(waiter(1))
    await task
    await asyncio.sleep(0)
    say("late:", late.done())
    event.set()
    await late


async def event_that_is_set(say):
    event = asyncio.Event()
    event.set()
    asyncio.get_running_loop().call_soon(say, "soon")
    await event.wait()
    say("no turn passed")
    await asyncio.sleep(0)


async def condition_notifies_in_order(say):
    condition = asyncio.Condition()

    async def waiter(n):
        async with condition:
            await condition.wait()
            say("woken", n)

    made = [asyncio.create_task(waiter(n)) for n in range(3)]
    await asyncio.sleep(0)
    for count in (1, 2):
        async with condition:
            condition.notify(count)
            say("notified", count)
        await asyncio.sleep(0.01)
    await asyncio.wait(made)


async def condition_notifies_all(say):
    condition = asyncio.Condition()

    async def waiter(n):
        async with condition:
            await condition.wait()
            say("in", n)
            await asyncio.sleep(0.01)
            say("out", n)

    made = [asyncio.create_task(waiter(n)) for n in range(3)]
    await asyncio.sleep(0)
    async with condition:
        condition.notify_all()
        say("notified")
    await asyncio.wait(made)


async def condition_waits_for_a_predicate(say):
    condition = asyncio.Condition()
    value = [0]

    async def waiter():
        async with condition:
            await condition.wait_for(lambda: value[0] == 3)
            say("value", value[0], "at", say.ms())

    task = asyncio.create_task(waiter())
    for n in range(1, 4):
        await asyncio.sleep(0.01)
        async with condition:
            value[0] = n
            condition.notify()
    await task


async def semaphore_is_fair(say):
    semaphore = asyncio.Semaphore(2)

    async def body(n):
        async with semaphore:
            say(n, "in at", say.ms())
            await asyncio.sleep(0.01)

    await _all(*[body(n) for n in range(5)])


async def semaphore_waiter_cancelled(say):
    semaphore = asyncio.Semaphore(0)

    async def body(n):
        await semaphore.acquire()
        say(n)

    made = [asyncio.create_task(body(n)) for n in range(3)]
    await asyncio.sleep(0)
    made[1].cancel()
    semaphore.release()
    semaphore.release()
    await asyncio.wait(made)
    say("locked:", semaphore.locked())


async def semaphore_lets_nobody_barge(say):
    semaphore = asyncio.Semaphore(1)

    async def waiter():
        async with semaphore:
            say("waiter")

    await semaphore.acquire()
    task = asyncio.create_task(waiter())
    await asyncio.sleep(0)
    semaphore.release()
    say("locked:", semaphore.locked())
    async with semaphore:
        say("main")
    await task


async def barrier_numbers_its_tasks(say):
    barrier = asyncio.Barrier(3)

    async def body(name):
        say(name, "waits")
        index = await barrier.wait()
        say(name, "passes as", index)

    await _all(*[body(n) for n in "abc"])


async def barrier_is_used_again(say):
    barrier = asyncio.Barrier(2)

    async def body(name):
        for turn in range(2):
            await barrier.wait()
            say(name, "passes", turn)

    await _all(*[body(n) for n in "ab"])


async def future_wakes_in_order(say):
    future = asyncio.get_running_loop().create_future()

    async def waiter(n):
        say(n, "got", await future)

    made = [asyncio.create_task(waiter(n)) for n in range(3)]
    await asyncio.sleep(0)
    future.set_result(7)
    say("set")
    await asyncio.wait(made)


async def future_callbacks_are_scheduled(say):
    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda _: say("first"))
    future.add_done_callback(lambda _: say("second"))
    future.set_result(None)
    say("set")
    await asyncio.sleep(0)
    future.add_done_callback(lambda _: say("third"))
    say("added")
    await asyncio.sleep(0)
    say("main")


async def future_cancelled(say):
    future = asyncio.get_running_loop().create_future()
    say(future.cancel(), future.cancel())
    say(future.cancelled(), future.done())
