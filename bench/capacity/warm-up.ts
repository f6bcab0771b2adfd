import { sleep, systemClock } from '../../src/clock.ts';
import { connectCalls, type Stage } from './connect-call.ts';
import { endedRecordings } from './recorded-calls.ts';
import type { RecordedWork } from './recorded-work.ts';

/** Of a server that was just started, so that whatever is needed once is there: compiled code, tables, connections. */
export const warmUpCalls = 20;
/** Until the quality of a call was measured. */
const talkMs = 15_000;
const lastPacketsMs = 500;
const hangUpsPerSecond = 50;

/** Calls that come, talk and go; their recordings are erased. @param stage with streams of their own */
export async function warmUp(stage: Stage, work: RecordedWork, calls: number): Promise<void> {
  const { signalling, server, load } = stage;
  await connectCalls(calls, (call) => work.connect(stage, call));
  await sleep(systemClock, talkMs);
  load.quiet();
  await sleep(systemClock, lastPacketsMs);
  await load.stop();
  await signalling.hangUp(hangUpsPerSecond);
  for (const { recording_id: id } of await endedRecordings(server, calls, work.files !== undefined))
    await server.api('DELETE', `/v1/recordings/${id}`);
}
