# SPDX-License-Identifier: Apache-2.0
"""The soak's control: a bare server, a process of its own, that does nothing but send tickers to who connects.

They are as many, as long and as often flushed as those of a witness, and each is stamped with the time at which it was
due. How late they come is the machine's doing and the crowd's own, and moves with what else runs here; Stofka's
lateness is held against it.
"""
import asyncio
import json
import time

PER_SECOND, FLUSH_S = 600, 0.02
TICKER = {'type': 'ticker', 'code': 'KRW-CONTROL', 'stream_type': 'REALTIME', 'padding': 'x' * 560}


def event(at_ms):
    return b'event: ticker\ndata: %s\n\n' % json.dumps({**TICKER, 'timestamp': at_ms}).encode()


async def send(reader, writer):
    await reader.readuntil(b'\r\n\r\n')
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
    began, sent = time.time(), 0
    while not writer.is_closing():
        due = int((time.time() - began) * PER_SECOND)
        writer.write(b''.join(event(1000 * (began + n / PER_SECOND)) for n in range(sent, due)))
        sent = due
        await writer.drain()
        await asyncio.sleep(FLUSH_S)


def serve(port):
    """The process: until it is killed."""
    async def run():
        server = await asyncio.start_server(send, '127.0.0.1', port)
        await server.serve_forever()
    asyncio.run(run())
