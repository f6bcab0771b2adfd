import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { makeTemporaryDir } from '../../../src/database/temporary-database.ts';
import { CallbackApp } from '../../../src/testkit/callback-app.ts';
import { assertNoLeak } from '../../../src/testkit/leak-check.ts';
import { lineCodecs } from '../../../src/testkit/line-codec.ts';
import { openResources } from '../../../src/testkit/open-resources.ts';
import { fetchAudio, monoSamples } from '../../../src/testkit/recorded-audio.ts';
import { findPayloadRun } from '../../../src/testkit/sample-run.ts';
import { ServerProcess } from '../../../src/testkit/server-process.ts';
import { speech } from '../../../src/testkit/speech.ts';
import { ensurePackages } from '../debian.ts';
import { runSippCaller } from '../sipp.ts';

const conferences = 50;
const callsPerConference = 10;
const callMs = 20_000;
const ratePerSecond = 25;
const rateHz = 8000;
/** From answer to BYE by sipp's own timer, on a machine that does all of this at once. */
const lengthToleranceMs = 1500;
const closingToleranceMs = 500;

interface Audio {
  wav_file: string;
  duration_ms: number;
}

interface Conversation {
  status: string;
  audio: Audio;
  channels: { from: string; start_ms: number; end_ms: number; audio: Audio }[];
}

const calls = Array.from({ length: conferences * callsPerConference }, (_, index) => ({
  from: `+1555${String(index).padStart(7, '0')}`,
  to: String(2000 + Math.floor(index / callsPerConference)),
}));
const numbers = [...new Set(calls.map(({ to }) => to))];

let app: CallbackApp;
let server: ServerProcess;
const dataDir = makeTemporaryDir();

before(async () => {
  await ensurePackages('sip-tester');
  app = await CallbackApp.create();
  app.on<{ connection: { to: string } }>('/incoming', ({ connection }) => ({
    routine: [
      {
        name: 'JoinConference',
        conference_name: connection.to,
        do_record: true,
        event_callback: app.url('/events'),
      },
    ],
  }));
  app.on('/events', () => ({}));
  const onIncoming = app.url('/incoming');
  server = await ServerProcess.start({ dataDir, numbers: numbers.map((number) => ({ number, onIncoming })) });
});

after(async () => {
  server.signal('SIGKILL');
  await app.close();
  rmSync(dataDir, { recursive: true, force: true });
});

test('500 calls that stream speech for 20 s, ten a conference, 25 a second', {
  timeout: 300_000,
}, async (t) => {
  const [workerPid = 0] = server.workerPids;
  const before = [openResources(server.pid), openResources(workerPid)];
  const audio = await speech('english');
  const statistics = await runSippCaller({
    target: server.sipAddress('udp'),
    calls,
    ratePerSecond,
    audio,
    callMs,
  });
  assert.equal(statistics.successful, calls.length);

  const conversationIds = await terminalEvents();
  assert.equal(conversationIds.length, conferences);
  const said = decodedSpeech(audio);
  let channels = 0;
  let whole = 0;
  for (const id of conversationIds) {
    const conversation = await server.api<Conversation>(`/v0/conversations/${id}`);
    assert.equal(conversation.status, 'ended');
    assert.equal(conversation.channels.length, callsPerConference);
    const mixMs = await checkedLengthMs(conversation.audio);
    const lastEndMs = Math.max(...conversation.channels.map(({ end_ms }) => end_ms));
    // The room is closed a turn or two of a busy event loop after its last party left.
    const afterLastMs = mixMs - lastEndMs;
    assert.ok(
      afterLastMs >= -1 && afterLastMs < closingToleranceMs,
      `the mix lasts ${mixMs} ms, its last party left at ${lastEndMs}`,
    );
    for (const channel of conversation.channels) {
      const lengthMs = await checkedLengthMs(channel.audio);
      assert.ok(Math.abs(lengthMs - callMs) < lengthToleranceMs, `${channel.from} lasts ${lengthMs} ms`);
      assert.ok(Math.abs(channel.end_ms - channel.start_ms - lengthMs) <= 1);
      const samples = monoSamples(await fetchAudio(channel.audio.wav_file));
      if (findPayloadRun(samples, said) >= 0) whole++;
      channels++;
    }
  }
  assert.equal(channels, calls.length);
  t.diagnostic(`${whole} of ${channels} channels hold the first ${said.length / rateHz} s without a gap`);
  assert.equal(whole, channels);
  for (const resources of before)
    await assertNoLeak(resources, { timeoutMs: 20_000, allow: (line) => line.includes('TCP connection') });
});

test('SIGTERM drains and the process ends by itself', { timeout: 60_000 }, async () => {
  const workers = server.workerPids;
  assert.equal(workers.length, 1);
  server.signal('SIGTERM');
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  assert.deepEqual(server.workerPids, []);
});

/** The conversations that ended, once there are as many as conferences; more would be one too many. */
async function terminalEvents(): Promise<string[]> {
  const ended = () =>
    app.requests('/events').map(({ body }) => (body as { conversation_id: string }).conversation_id);
  for (let seen = 0; seen < conferences; seen++)
    await app.waitFor('/events', () => new Set(ended()).size > seen, 60_000);
  assert.equal(ended().length, new Set(ended()).size, 'an event came twice');
  return [...new Set(ended())];
}

/** The length of a file, which is what it says it is. */
async function checkedLengthMs({ wav_file, duration_ms }: Audio): Promise<number> {
  const { length } = monoSamples(await fetchAudio(wav_file));
  assert.ok(Math.abs((length * 1000) / rateHz - duration_ms) <= 1, `${length} samples, ${duration_ms} ms`);
  return duration_ms;
}

/** What must be in each file, bit for bit: enough of the speech that a single lost packet shows. */
function decodedSpeech(audio: Int16Array): Int16Array {
  const { encode, decode } = lineCodecs.PCMU;
  const seconds = (callMs - 1000) / 1000;
  return decode(encode(audio.subarray(0, seconds * rateHz)));
}
