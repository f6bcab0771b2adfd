import type { QualityFigures } from '../quality/quality-meter.ts';
import { compiledQuery } from './compiled-query.ts';
import { jsonRows, recordset } from './recordset.ts';
import type { Channel, Db } from './schema.ts';

export type NewChannel = Omit<Channel, 'endMs' | 'durationMs' | 'packets' | 'noMedia' | 'media' | 'quality'>;

/** What is known once a stay is over, from the manifest. */
export interface ChannelEnd {
  startMs: number;
  endMs: number;
  packets: number;
  /** The media worker's figures, where they are known. */
  media?: unknown;
  /** Where they are known. */
  quality?: QualityFigures | undefined;
}

/** A stay begins; once more for the same channel changes nothing. */
export async function insertChannel(db: Db, channel: NewChannel): Promise<void> {
  await db
    .insertInto('channels')
    .values(channel)
    .onConflict((conflict) => conflict.columns(['recordingId', 'channelId']).doNothing())
    .execute();
}

const savedColumns = {
  channelId: 'text',
  recordingId: 'text',
  conversationId: 'text',
  accountId: 'text',
  connectionId: 'text',
  from: 'text',
  to: 'text',
  direction: 'text',
  startMs: 'bigint',
  joinOrder: 'bigint',
  endMs: 'bigint',
  packets: 'bigint',
  durationMs: 'bigint',
  media: 'jsonb',
  quality: 'jsonb',
} as const;
type SavedChannel = Partial<Record<keyof typeof savedColumns, unknown>>;
const savedNames = Object.keys(savedColumns) as (keyof typeof savedColumns)[];

/** Writes what the manifest says, also for a channel whose row a crash prevented. What is not known stays as it is. */
export async function saveChannels(db: Db, channels: readonly (NewChannel & ChannelEnd)[]): Promise<void> {
  if (channels.length === 0) return;
  const rows = channels.map((channel) => ({ ...channel, durationMs: channel.endMs - channel.startMs }));
  await upsertChannels(db, { rows: jsonRows<SavedChannel>(savedColumns, rows) });
}

const upsertChannels = compiledQuery((db, { rows }: { rows: string }) =>
  db
    .insertInto('channels')
    .columns(savedNames)
    .expression((eb) =>
      eb
        .selectFrom(recordset<SavedChannel>(savedColumns, rows))
        .select(savedNames.map((name) => `given.${name}` as const)),
    )
    .onConflict((conflict) =>
      conflict.columns(['recordingId', 'channelId']).doUpdateSet(({ ref, fn }) => ({
        startMs: ref('excluded.startMs'),
        joinOrder: ref('excluded.joinOrder'),
        endMs: ref('excluded.endMs'),
        packets: ref('excluded.packets'),
        durationMs: ref('excluded.durationMs'),
        media: fn.coalesce('excluded.media', 'channels.media'),
        quality: fn.coalesce('excluded.quality', 'channels.quality'),
      })),
    ),
);

/** As `saveChannels`, of none (`warm-up.ts`). */
export async function saveNoChannels(db: Db): Promise<void> {
  await upsertChannels(db, { rows: '[]' });
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
