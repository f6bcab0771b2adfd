import { decodeWav } from '../../src/testkit/audio-file.ts';
import type { BenchServer } from '../capacity/bench-server.ts';
import { type RecordingBody, readRecording, type WholeRecordingBody } from '../capacity/recorded-calls.ts';
import { callerOf } from '../capacity/two-party-signalling.ts';
import { partiesOf } from './short-calls.ts';
import { wrongIn } from './words.ts';

/** Evenly from all of them, the last one among it. */
export function sampleOf<Each>(all: readonly Each[], count: number): Each[] {
  const step = Math.max(1, all.length / count);
  const size = Math.min(count, all.length);
  return Array.from({ length: size }, (_, index) => all[Math.floor((index + 1) * step) - 1]!);
}

/**
 * Holds stereo files of short calls to what was said in them.
 * @returns what is wrong, a line for each channel
 */
export async function checkRecordings(
  server: BenchServer,
  recordings: readonly RecordingBody[],
  packets: number,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const { recording_id: id, file } of recordings) {
    const { channels } = await server.api<WholeRecordingBody>('GET', `/v1/recordings/${id}`);
    const left = channels.findIndex(({ direction }) => direction === 'incoming');
    const caller = channels[left]?.from ?? '';
    const [incoming, outgoing] = partiesOf(callOf(caller));
    const parties = left === 0 ? [incoming, outgoing] : [outgoing, incoming];
    const samples = decodeWav(await readRecording(file!.path!)).channels;
    if (samples.length !== parties.length) wrong.push(`${id}: a file of ${samples.length} channels`);
    else
      for (const [index, party] of parties.entries()) {
        const why = wrongIn(samples[index]!, party, packets);
        if (why !== undefined) wrong.push(`${id}, call of ${caller}, channel ${index}: ${why}`);
      }
  }
  return wrong;
}

/** @throws Error where nobody called so */
function callOf(caller: string): number {
  const call = Number(caller.slice(callerOf(0).length - 7));
  if (callerOf(call) !== caller) throw new Error(`nobody called as ${caller}`);
  return call;
}
