import { json } from './json.ts';
import type { Channel, Db } from './schema.ts';

export type NewChannel = Omit<Channel, 'endMs' | 'durationMs' | 'packets' | 'noMedia' | 'media' | 'quality'>;

/** What is known once a stay is over, from the manifest. */
export interface ChannelEnd {
  startMs: number;
  endMs: number;
  packets: number;
  /** The media worker's figures, where they are known. */
  media?: unknown;
}

/** A stay begins; once more for the same channel changes nothing. */
export async function insertChannel(db: Db, channel: NewChannel): Promise<void> {
  await db
    .insertInto('channels')
    .values(channel)
    .onConflict((conflict) => conflict.columns(['recordingId', 'channelId']).doNothing())
    .execute();
}

/** Writes what the manifest says, also for a channel whose row a crash prevented. */
export async function saveChannel(db: Db, channel: NewChannel & ChannelEnd): Promise<void> {
  const { startMs, joinOrder, endMs, packets, media } = channel;
  const end = {
    startMs,
    joinOrder,
    endMs,
    packets,
    durationMs: endMs - startMs,
    ...(media !== undefined && { media: json(media) }),
  };
  await db
    .insertInto('channels')
    .values({ ...channel, ...end })
    .onConflict((conflict) => conflict.columns(['recordingId', 'channelId']).doUpdateSet(end))
    .execute();
}

export async function getChannel(
  db: Db,
  recordingId: string,
  channelId: string,
): Promise<Channel | undefined> {
  return await db
    .selectFrom('channels')
    .selectAll()
    .where('recordingId', '=', recordingId)
    .where('channelId', '=', channelId)
    .executeTakeFirst();
}

/** In the order they began; of those that began together, in the order the parties joined. */
export async function listChannelsOfConversation(db: Db, conversationId: string): Promise<Channel[]> {
  return await db
    .selectFrom('channels')
    .selectAll()
    .where('conversationId', '=', conversationId)
    .orderBy('startMs')
    .orderBy('joinOrder')
    .orderBy('channelId')
    .execute();
}

/** As `listChannelsOfConversation`. */
export async function listChannelsOfRecording(db: Db, recordingId: string): Promise<Channel[]> {
  return await db
    .selectFrom('channels')
    .selectAll()
    .where('recordingId', '=', recordingId)
    .orderBy('startMs')
    .orderBy('joinOrder')
    .orderBy('channelId')
    .execute();
}
