import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { noise } from '../../src/testkit/noise.ts';
import { Phone } from '../../src/testkit/phone.ts';
import { TestServer } from '../../src/testkit/server.ts';
import { MediaWorker } from '../../src/worker/media-worker.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const probe = fileURLToPath(new URL('./walk-probe.ts', import.meta.url));

/** The ladders of docs/walks.md, top to bottom. */
function documentedWalks(): Map<string, string[]> {
  const text = readFileSync(join(root, 'docs/walks.md'), 'utf8');
  const walks = new Map<string, string[]>();
  for (const [, name = '', ladder = ''] of text.matchAll(/<!-- walk: (.*?) -->\n```\n(.*?)```/gs))
    walks.set(
      name,
      ladder
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0] ?? ''),
    );
  return walks;
}

/** What takes the place of a file where the system lets us have no io_uring. */
const standIns = new Map(
  ['src/rtp/epoll-receiver.ts', 'src/rtp/transport-dgram.ts'].map((file) => [
    file,
    'src/rtp/uring-receiver.ts',
  ]),
);

/** Files of the product on a stack, outermost first; a file's frames in a row count once. */
function filesOf(stack: string): string[] {
  const frames = [...stack.matchAll(/file:\/\/(.+?):\d+:\d+/g)].map(([, path = '']) =>
    decodeURIComponent(path),
  );
  const files = frames
    .filter((path) => path.startsWith(join(root, 'src/')))
    .map((path) => path.slice(root.length))
    .map((file) => standIns.get(file) ?? file)
    .reverse();
  return files.filter((file, index) => file !== files[index - 1]);
}

describe('the walks of docs/walks.md are the stacks of a real call', () => {
  const seen = new Map<string, string>();
  let folder: string;

  before(async () => {
    folder = makeTemporaryDir();
    const stacks = join(folder, 'stacks');
    const probeUrl = `${pathToFileURL(probe)}?stacks=${encodeURIComponent(stacks)}`;
    const { send } = MediaWorker.prototype;
    const nodeOptions = process.env.NODE_OPTIONS;
    process.env.NODE_OPTIONS = `${nodeOptions ?? ''} --import ${probeUrl}`;
    Error.stackTraceLimit = 50;
    MediaWorker.prototype.send = function (this: MediaWorker, command) {
      const { stack = '' } = new Error();
      if (command.verb === 'recording.start')
        seen.set(stack.includes('live-routes.ts') ? 'command over HTTP' : 'command of a routine', stack);
      return send.call(this, command);
    };
    try {
      await placeCalls();
    } finally {
      MediaWorker.prototype.send = send;
      if (nodeOptions === undefined) delete process.env.NODE_OPTIONS;
      else process.env.NODE_OPTIONS = nodeOptions;
    }
    const lines = existsSync(stacks) ? readFileSync(stacks, 'utf8').trim().split('\n') : [];
    for (const line of lines) {
      const { walk, stack } = JSON.parse(line) as { walk: string; stack: string };
      seen.set(walk, stack);
    }
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** One conference recorded by its routine, another one over HTTP. */
  async function placeCalls(): Promise<void> {
    const app = await CallbackApp.create();
    for (const [path, do_record] of [
      ['/recorded', true],
      ['/unrecorded', undefined],
    ] as const)
      app.on(path, () => ({
        routine: [{ name: 'JoinConference', conference_name: path.slice(1), do_record }],
      }));
    const server = await TestServer.start({
      numbers: [
        { number: '1', onIncoming: app.url('/recorded') },
        { number: '2', onIncoming: app.url('/unrecorded') },
      ],
    });
    const phone = await Phone.create({ number: '+15550001' });
    try {
      for (const number of ['1', '2']) {
        const call = await phone.call(server.sipUri(number));
        if (number === '2') await server.api('/v1/conferences/unrecorded/recordings', 'POST');
        await call.play(noise({ seed: 1, samples: 1600, levelDbov: -20 }));
        await call.hangUp();
      }
    } finally {
      await phone.close();
      await server.stop();
      await app.close();
    }
  }

  const walks = documentedWalks();
  const limits = [
    ['packet', 7],
    ['command over HTTP', 5],
    ['command of a routine', 5],
    ['command in the worker', 5],
  ] as const;

  test('every documented walk is tested', () => {
    assert.deepEqual([...walks.keys()].sort(), limits.map(([walk]) => walk).sort());
  });

  for (const [walk, limit] of limits)
    test(`${walk}: at most ${limit} files, none entered again`, () => {
      const stack = seen.get(walk);
      assert.ok(stack, `no stack of the walk "${walk}" was seen`);
      const files = filesOf(stack);
      assert.deepEqual(files, walks.get(walk));
      assert.ok(files.length <= limit, `${files.length} files`);
      assert.equal(new Set(files).size, files.length, `a file is entered again: ${files.join(', ')}`);
    });
});
