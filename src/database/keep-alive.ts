/** Keeps the event loop alive while `work` is under way: timers of `Clock` do not. */
export async function keepAlive<T>(work: Promise<T>): Promise<T> {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {};
  try {
    return await work;
  } finally {
    port1.close();
    port2.close();
  }
}
