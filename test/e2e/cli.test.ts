import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { playMp4 } from '../../src/container/test-mp4-playback.ts';
import { wavHeader } from '../../src/container/wav.ts';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { tone } from '../../src/testkit/tone.ts';
import { CommandLine } from './command-line.ts';
import { eventually } from './eventually.ts';
import { calledNumber, Scene } from './scene.ts';

interface Recording {
  recording_id: string;
  conversation_id: string;
  state: string;
}

let scene: Scene;
let callreel: CommandLine;
let dir: string;

function writeTone(name: string, durationMs: number): Int16Array {
  const samples = tone({ frequencyHz: 443, durationMs });
  const header = wavHeader({ rateHz: 8000, channels: 1, dataBytes: samples.byteLength });
  writeFileSync(join(dir, name), Buffer.concat([header, new Uint8Array(samples.buffer)]));
  return samples;
}

before(async () => {
  scene = await Scene.open();
  dir = makeTemporaryDir();
  callreel = new CommandLine(dir, { CALLREEL_DATA_DIR: scene.server.dataDir });
});

after(async () => {
  await scene[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

describe('a call, from the command line to the file', () => {
  test('call, events, recordings, spool', async () => {
    const said = writeTone('said.wav', 400);
    scene.audience.routineFor('+15550001234', [scene.join('cli', { do_record: true })]);
    const to = scene.server.sipUri(calledNumber);
    const heard = ['--record', 'heard.wav', '--stay', '0.2', '--digits', '12'];
    const called = await callreel.run(
      'call',
      '--from',
      'said.wav',
      '--to',
      to,
      '--as',
      '+15550001234',
      ...heard,
    );
    assert.equal(called.code, 0, called.stderr);
    assert.match(called.stdout, /^answered, PCMU\n/);
    assert.equal(decodeWav(readFileSync(join(dir, 'heard.wav'))).rateHz, 8000);
    const { conversation_id } = await scene.audience.ended({ conference_name: 'cli' });

    const recordings = await callreel.json<Recording[]>(
      'recordings',
      'list',
      '--conversation',
      conversation_id,
    );
    assert.equal(recordings.length, 1);
    const { recording_id } = recordings[0]!;
    const table = await callreel.run('recordings', 'list', '--limit', '1');
    assert.match(table.stdout, new RegExp(`^RECORDING ID .*\n${recording_id}  ${conversation_id} .* ended`));
    const shown = await callreel.run('recordings', 'show', recording_id);
    assert.match(shown.stdout, /\+15550001234/);
    const whole = await callreel.json<{ channels: { channel_id: string }[] }>(
      'recordings',
      'show',
      recording_id,
    );
    const channel = whole.channels[0]!.channel_id;

    const transcribed = await callreel.run('recordings', 'transcribe', recording_id, '--locale', 'de-DE');
    assert.match(transcribed.stdout, new RegExp(`^${recording_id} is transcribed, in de-DE\n$`));
    const unserved = await eventually('the transcript to be given up', async () => {
      const { stdout } = await callreel.run('transcripts', 'list', '--state', 'dead');
      return stdout.includes(recording_id) ? stdout : undefined;
    });
    assert.match(unserved, / dead +de-DE +TRANSCRIPTION_LOCALE_UNSUPPORTED: German /);

    const got = await callreel.run(
      'recordings',
      'get',
      recording_id,
      '--channel',
      channel,
      '--out',
      'channel.wav',
    );
    assert.equal(got.code, 0, got.stderr);
    const downloaded = readFileSync(join(dir, 'channel.wav'));
    const [samples] = decodeWav(downloaded).channels;
    assert.ok(samples!.length >= said.length);
    const mp3 = await callreel.json<{ file: string; bytes: number }>(
      'recordings',
      'get',
      recording_id,
      '--format',
      'mp3',
    );
    assert.deepEqual([mp3.file, statSync(join(dir, mp3.file)).size], [`${recording_id}.mp3`, mp3.bytes]);

    const get = (...options: string[]) => callreel.run('recordings', 'get', recording_id, ...options);
    for (const [options, file] of [
      [[], `${recording_id}.wav`],
      [['--channel', 'stereo', '--format', 'mp4'], `${recording_id}-stereo.mp4`],
      [['--channel', 'all'], `${recording_id}-all.wav`],
    ] as const) {
      const { code, stdout, stderr } = await get(...options);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `${file}: ${statSync(join(dir, file)).size} bytes\n`);
    }
    const [mono] = decodeWav(readFileSync(join(dir, `${recording_id}.wav`))).channels;
    const sides = await playMp4(readFileSync(join(dir, `${recording_id}-stereo.mp4`)));
    assert.deepEqual(
      [sides.rateHz, ...sides.channels.map(({ length }) => length)],
      [8000, mono!.length, mono!.length],
    );
    for (const [options, complaint] of [
      [['--channel', 'middle'], /REQUEST_INVALID: expected mono, stereo, left, right, all, or the id/],
      [['--channel', '0123456789abcdef'], new RegExp(`NOT_FOUND: .* it has ${channel}\n`)],
      [['--channel', 'all', '--format', 'mp3'], /REQUEST_INVALID: .* expected wav\n/],
    ] as const) {
      const { code, stdout, stderr } = await get(...options, '--out', 'none');
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, complaint);
    }
    assert.equal(existsSync(join(dir, 'none')), false);

    const manifest = join(scene.server.dataDir, 'spool', conversation_id, `${recording_id}.rec`);
    const exported = await callreel.run('spool', 'export', manifest, '--out', 'out');
    assert.equal(exported.code, 0, exported.stderr);
    assert.deepEqual(
      readdirSync(join(dir, 'out')).sort(),
      [`${recording_id}-${channel}.wav`, `${recording_id}-mix.wav`].sort(),
    );
    assert.deepEqual(readFileSync(join(dir, 'out', `${recording_id}-${channel}.wav`)), downloaded);
    const key = join(scene.server.dataDir, 'keys', 'master.key');
    mkdirSync(join(dir, 'elsewhere'));
    for (const name of readdirSync(join(manifest, '..')))
      writeFileSync(join(dir, 'elsewhere', name), readFileSync(join(manifest, '..', name)));
    const moved = ['spool', 'export', join('elsewhere', `${recording_id}.rec`), '--out', 'out2'];
    assert.equal((await callreel.run(...moved, '--master-key', key)).code, 0);
    writeFileSync(join(dir, 'other.key'), Buffer.alloc(32, 7));
    const wrongKey = await callreel.run(...moved, '--master-key', 'other.key');
    assert.deepEqual([wrongKey.code, wrongKey.stdout], [1, '']);
    assert.match(wrongKey.stderr, /^callreel: SPOOL_KEY_MISSING: .*\n {2}where: .*\n {2}what to do: /);

    interface Event {
      event_id: string;
      type: string;
    }
    const list = ['events', 'list', '--conversation', conversation_id];
    const told = await callreel.json<Event[]>(...list, '--state', 'delivered');
    const event = told.find(({ type }) => type === 'conversation.ended');
    const before = scene.audience.endedEvents({ conversation_id }).length;
    const replayed = await callreel.run('events', 'replay', event!.event_id);
    assert.equal(replayed.code, 0, replayed.stderr);
    await scene.audience.allEnded({ conversation_id }, before + 1);
    const unknown = await callreel.run('events', 'replay', 'none');
    assert.deepEqual([unknown.code, /NOT_FOUND/.test(unknown.stderr)], [1, true]);
  });

  test('a call that nobody takes', async () => {
    writeTone('short.wav', 20);
    const to = scene.server.sipUri('4711');
    const { code, stderr } = await callreel.run('call', '--from', 'short.wav', '--to', to);
    assert.equal(code, 1);
    assert.match(stderr, /^callreel: SIP_REFUSED: .*404/);
    const wrong = await callreel.run('call', '--from', 'none.wav', '--to', to);
    assert.match(wrong.stderr, /^callreel: FILE_UNUSABLE: none.wav cannot be read\n {2}what to do: /);
  });
});

describe('directory', () => {
  test('applications and numbers', async () => {
    writeFileSync(join(dir, 'routine.yaml'), '- name: HangUp\n');
    const options = ['--name', 'cli', '--routine', 'routine.yaml', '--number', '+15550200099'];
    const app = await callreel.json<{ app_id: string; document: unknown }>('app', 'create', ...options);
    assert.deepEqual(app.document, [{ name: 'HangUp' }]);
    const listed = await callreel.run('app', 'list');
    assert.match(listed.stdout, new RegExp(`${app.app_id} +cli +sift +\\+15550200099 +its own document`));
    const assigned = await callreel.run('number', 'assign', '+1 555 020 0098', app.app_id);
    assert.equal(assigned.stdout, `+15550200098 is answered by ${app.app_id}\n`);
    const freed = await callreel.run('number', 'assign', '+15550200098', '--free');
    assert.equal(freed.stdout, '+15550200098 is free\n');
    assert.equal((await callreel.run('app', 'delete', app.app_id)).stdout, `deleted ${app.app_id}\n`);
    const numbers = await callreel.run('number', 'list');
    assert.match(numbers.stdout, /^\+15550200099 +-$/m);
  });

  test('an application of another dialect: its document is checked with the line, and kept', async () => {
    const create = ['app', 'create', '--name', 'swml', '--dialect', 'signalwire'];
    writeFileSync(
      join(dir, 'call.yaml'),
      'version: 1.0.0\nsections:\n  main:\n    - record_call:\n        format: mp3\n',
    );
    const app = await callreel.json<Record<string, unknown>>(...create, '--document', 'call.yaml');
    assert.deepEqual([app.dialect, app.url, app.numbers], ['signalwire', null, []]);
    assert.match(JSON.stringify(app.document), /record_call/);
    writeFileSync(join(dir, 'wrong.yaml'), 'sections:\n  main:\n    - record_call:\n        format: ogg\n');
    const wrong = await callreel.run(...create, '--document', 'wrong.yaml');
    assert.match(wrong.stderr, /DOCUMENT_INVALID: wrong.yaml:4:\d+: sections.main\[0\].record_call.format: /);
    assert.match(wrong.stderr, /Give a value of the range or list that is named/);
    const untold = await callreel.run('app', 'create', '--name', 'x', '--document', 'call.yaml');
    assert.equal(untold.code, 2);
    assert.match(untold.stderr, /USAGE: call.yaml is a SWML document: add --dialect signalwire/);
    const byUrl = await callreel.json<Record<string, unknown>>(
      ...create,
      '--on-incoming',
      'https://ann:s3cret@app.example/swml',
    );
    assert.deepEqual([byUrl.url, byUrl.document], ['https://ann:s3cret@app.example/swml', null]);
    const { stdout: listed } = await callreel.run('app', 'list');
    assert.match(listed, /https:\/\/ann:\*\*\*@app\.example\/swml$/m);
    assert.doesNotMatch(listed, /s3cret/);
    for (const { app_id } of [app, byUrl])
      assert.equal((await callreel.run('app', 'delete', String(app_id))).code, 0);
  });

  test('trunks and what may be dialled', async () => {
    writeFileSync(join(dir, 'password'), 's3cret-of-the-carrier\n');
    const forbidden = await callreel.run('dial', 'check', '+442071838750');
    assert.deepEqual([forbidden.code, /OUTBOUND_FORBIDDEN/.test(forbidden.stderr)], [1, true]);
    assert.equal((await callreel.run('dial', 'allow', '+44')).stdout, '+44: allowed\n');
    assert.equal((await callreel.run('dial', 'deny', '+4490')).stdout, '+4490: denied\n');
    const noTrunk = await callreel.run('dial', 'check', '+442071838750');
    assert.match(noTrunk.stderr, /NO_TRUNK/);

    const login = ['--username', 'me', '--password-file', 'password'];
    const added = await callreel.run(
      'trunk',
      'add',
      'carrier',
      '--host',
      'sip.example.com',
      '--route',
      '+=10',
      '--route',
      '+44=5',
      '--source',
      '192.0.2.0/24',
      ...login,
    );
    assert.equal(added.code, 0, added.stderr);
    await callreel.run('trunk', 'add', 'cheap', '--host', '192.0.2.7', '--port', '5062', '--route', '+442=1');
    assert.equal(
      (await callreel.run('dial', 'check', '+442071838750')).stdout,
      '+442071838750: cheap, then carrier\n',
    );
    const dump = await callreel.run('trunk', 'list', '--json');
    assert.match(dump.stdout, /"username": "me"/);
    assert.doesNotMatch(dump.stdout + added.stdout, /s3cret|sealed|password/i);
    const full = ['--gateway', '192.0.2.9:5070', '--proxy', '192.0.2.1', '--caller-id', 'remote-party-id'];
    const more = ['--number-format', 'national', '--country', 'GB', '--codec', 'PCMA', '--tls-no-verify'];
    await callreel.run('trunk', 'add', 'full', '--host', '192.0.2.8', ...full, ...more);
    const shown = (await callreel.run('trunk', 'show', 'full')).stdout;
    for (const line of [/gateways: +192\.0\.2\.9:5070/, /caller id: +remote-party-id/, /tls verify: +false/])
      assert.match(shown, line);
    const twice = await callreel.run('trunk', 'add', 'cheap', '--host', 'a.example.com');
    assert.match(twice.stderr, /^callreel: CONFLICT: .*\n {2}where: +body.name/);
    for (const [host, ...rest] of [
      ['a b'],
      ['sip.example.com:5060'],
      ['h', '--route', '44=1'],
      ['h', '--source', '1.2.3'],
    ])
      assert.match(
        (await callreel.run('trunk', 'add', 'x', '--host', host!, ...rest)).stderr,
        /^callreel: REQUEST_INVALID: expected/,
      );
    assert.equal((await callreel.run('trunk', 'remove', 'cheap')).stdout, 'removed cheap\n');
    assert.equal((await callreel.run('trunk', 'remove', 'cheap')).code, 1);
    assert.equal((await callreel.run('dial', 'forget', '+4490')).code, 0);
    assert.match((await callreel.run('dial', 'list')).stdout, /^PREFIX .*\n\+44 +yes\n$/);
  });
});

describe('misuse', { concurrency: 3 }, () => {
  const misuses: [args: string[], said: RegExp][] = [
    [[], /USAGE: no command/],
    [['dance'], /USAGE: there is no command "dance"/],
    [['trunk'], /trunk add .*USAGE/s],
    [['app', 'list', '--bogus'], /USAGE: Unknown option '--bogus'/],
    [['app', 'create', '--name', 'x'], /--on-incoming or --document is missing/],
    [['app', 'create', '--dialect', 'x', '--document', 'y'], /--dialect wants sift, signalwire or sinch/],
    [['recordings', 'show'], /RECORDING_ID is missing/],
    [['recordings', 'show', 'a', 'b'], /no place for "b"/],
    [['recordings', 'get', 'a', '--format', 'ogg'], /--format wants wav, mp3 or mp4/],
    [['recordings', 'list', '--limit', 'many'], /--limit wants a number/],
    [['call', '--from', 'said.wav'], /--to is missing/],
    [['spool', 'export', 'x.rec'], /--out is missing/],
  ];
  for (const [args, said] of misuses)
    test(`callreel ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await callreel.run(...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, said);
      assert.match(stderr, /what to do: Read/);
      assert.doesNotMatch(stderr, /^ +at /m);
    });

  test('help tells every option, and is no failure', async () => {
    const list = await callreel.run('--help');
    assert.deepEqual([list.code, list.stderr], [0, '']);
    const names = [...list.stdout.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) {2}/gm)].map(([, name]) => name!);
    assert.ok(names.length >= 20);
    for (const name of names.slice(0, 6)) {
      const { code, stdout } = await callreel.run(...name.split(' '), '--help');
      assert.equal(code, 0);
      assert.ok(stdout.startsWith(`Usage: callreel ${name}`), stdout);
    }
  });

  test('a server that is not there', async () => {
    const lonely = new CommandLine(dir, { CALLREEL_DATA_DIR: join(dir, 'nothing') });
    const { code, stderr } = await lonely.run('app', 'list', '--url', 'http://127.0.0.1:1');
    assert.deepEqual([code, /SERVER_UNREACHABLE.*\n.*\n.*callreel serve/.test(stderr)], [1, true], stderr);
    const away = await callreel.run('app', 'list', '--url', 'http://127.0.0.1:1');
    assert.match(away.stderr, /no Callreel answers at http:\/\/127.0.0.1:1/);
  });
});
