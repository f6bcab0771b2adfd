import type { RecordingWishes } from '../../call/recording.ts';
import { lengthOf } from '../../call/recording-events.ts';
import type { Connection, Recording } from '../../database/schema.ts';
import { callTypeOf } from './call-scope.ts';

/** A vendor's `track` is what a caller of ours would call its side. */
const tracks = { speak: 'inbound', listen: 'outbound', both: 'both' } as const;

/**
 * The vendor's Recording object.
 * @param connection of a call that was recorded by itself
 */
export function recordingBody(
  row: Recording,
  connection: Connection | undefined,
  url: string,
): Record<string, unknown> {
  const { format = 'wav', stereo = false, options } = (row.wishes ?? {}) as RecordingWishes;
  const length = lengthOf(row, { format, stereo });
  const failed = row.reason === 'error' || row.reason === 'interrupted';
  return {
    id: row.recordingId,
    project_id: row.accountId,
    created_at: row.startedAt.toISOString(),
    updated_at: (row.endedAt ?? row.startedAt).toISOString(),
    duration_in_seconds: Math.round(length?.durationSeconds ?? 0),
    error_code: failed ? row.reason : null,
    price: 0,
    price_unit: 'USD',
    status: statusOf(row, failed),
    url,
    stereo,
    byte_size: length?.bytes ?? null,
    track: tracks[options?.direction ?? 'both'],
    ...whatIsRecorded(row, connection),
  };
}

function statusOf({ state }: Recording, failed: boolean): string {
  if (state === 'paused') return 'paused';
  if (state !== 'ended') return 'in-progress';
  return failed ? 'failed' : 'completed';
}

function whatIsRecorded(row: Recording, connection: Connection | undefined): Record<string, string> {
  if (row.connectionId === null) return { relay_conference_id: row.conversationId };
  const isPhone = connection !== undefined && callTypeOf(connection) === 'phone';
  return isPhone ? { relay_pstn_leg_id: row.connectionId } : { relay_sip_leg_id: row.connectionId };
}
