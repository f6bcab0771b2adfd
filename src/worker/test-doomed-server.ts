import { newId } from '../ids.ts';
import { loadMasterKey } from '../spool/keys.ts';
import { TestServer } from './test-server.ts';

/** A server that will be killed in the middle of a recorded call; says where its worker and spool are. */
const server = new TestServer();
const worker = await server.start();
const masterKey = loadMasterKey(server.spoolDir);
const recordingId = await server.record('room', masterKey);
const call = await server.call(440);
await server.join(call, 'room', { trackId: newId() });
await server.talk([call], 10);
process.stdout.write(
  `${JSON.stringify({ workerPid: worker.pid, spoolDir: server.spoolDir, recordingId })}\n`,
);
setInterval(() => undefined, 1000);
