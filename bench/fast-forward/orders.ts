import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** One line of JSON each way. */
export interface ForwardOrder {
  durationMs: number;
}

export interface ForwardReport {
  packets: number;
}

/** Who takes orders; said first. */
export type OrderTaker = 'media' | 'server';

/** Does what the controller on that port says, one order after another. */
export async function takeOrders(
  taker: OrderTaker,
  port: number,
  forward: (durationMs: number) => Promise<number>,
): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.unref();
  await once(socket, 'connect');
  socket.write(`${taker}\n`);
  for await (const line of createInterface({ input: socket })) {
    const { durationMs } = JSON.parse(line) as ForwardOrder;
    const packets = await forward(durationMs);
    socket.write(`${JSON.stringify({ packets } satisfies ForwardReport)}\n`);
  }
}
