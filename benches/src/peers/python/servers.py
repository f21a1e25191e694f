# Echo servers on the socket that is standard input (on a copy, for libuv takes no
# standard descriptors): a protocol a connection, which is the fastest that
# asyncio has. They tell the processor time when SIGUSR1 asks, and once more
# when the first client hangs up.


def echo(protocol, serve):
    """Runs a server until its protocols have nothing more to do."""
    async def main():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        loop.add_signal_handler(signal.SIGUSR1, say_time)
        transport = await serve(loop, lambda: protocol(done), socket.socket(fileno=os.dup(0)))
        echoed = await done
        transport.close()
        return echoed
    return run(main())


def say(what):
    print(what, flush=True)


def say_time():
    say(time.process_time_ns())


def echo_tcp(connections):
    open_ones, total = connections, 0

    class Echo(asyncio.Protocol):
        def __init__(self, done):
            self.done, self.echoed = done, 0

        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.write(data)
            self.echoed += len(data)

        def connection_lost(self, _error):
            nonlocal open_ones, total
            if open_ones == connections:
                say_time()
            open_ones -= 1
            total += self.echoed
            if open_ones == 0:
                self.done.set_result(total)

    def serve(loop, make, listener):
        return loop.create_server(make, sock=listener, backlog=4096)
    return echo(Echo, serve)


def echo_udp(_connections):
    class Echo(asyncio.DatagramProtocol):
        def __init__(self, done):
            self.done, self.echoed = done, 0

        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            if not data:
                say_time()
                self.done.set_result(self.echoed)
                return
            self.transport.sendto(data, address)
            self.echoed += len(data)

    async def serve(loop, make, bound):
        transport, _ = await loop.create_datagram_endpoint(make, sock=bound)
        return transport
    return echo(Echo, serve)


SERVERS = {"serve-tcp": echo_tcp, "serve-udp": echo_udp}
