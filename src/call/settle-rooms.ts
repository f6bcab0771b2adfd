import type { MediaWorker } from '../worker/media-worker.ts';

/**
 * Has each media worker make visible what is spooled of its rooms, by one message for all of them.
 * @param workerOf undefined: the room is over, all of it is there
 * @param failed told of an error, once for each worker whose rooms could not be settled
 * @returns the rooms that could not be: the files of each of their parties end somewhere
 */
export async function settleRooms(
  roomIds: ReadonlySet<string>,
  workerOf: (roomId: string) => Pick<MediaWorker, 'send'> | undefined,
  failed: (error: unknown) => void,
): Promise<ReadonlySet<string>> {
  const byWorker = new Map<Pick<MediaWorker, 'send'>, string[]>();
  for (const roomId of roomIds) {
    const worker = workerOf(roomId);
    if (!worker) continue;
    const rooms = byWorker.get(worker);
    if (rooms) rooms.push(roomId);
    else byWorker.set(worker, [roomId]);
  }
  const unsettled: string[] = [];
  const settleThese = async ([worker, rooms]: [Pick<MediaWorker, 'send'>, string[]]): Promise<void> => {
    try {
      await worker.send({ verb: 'spool.settle', roomIds: rooms });
    } catch (error) {
      unsettled.push(...rooms);
      failed(error);
    }
  };
  await Promise.all([...byWorker].map(settleThese));
  return new Set(unsettled);
}
