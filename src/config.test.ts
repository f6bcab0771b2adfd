import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { loadConfig, printConfig } from './config.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callreel-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const write = (text: string, name = 'callreel.yaml') => writeFileSync(join(dir, name), text);
const load = (environment: Record<string, string> = {}) => loadConfig(environment, dir);

describe('layers', () => {
  test('with nothing given the defaults stand, on the loopback only', () => {
    const config = load();
    assert.equal(config.dataDir, join(dir, '.callreel'));
    assert.deepEqual([config.sip.host, config.http.host, config.rtp.host], Array(3).fill('127.0.0.1'));
    assert.deepEqual(config.rtp.ports, { first: 20000, last: 29999 });
    assert.deepEqual(config.callbacks.allow, ['127.0.0.0/8', '::1/128']);
  });

  test('the file wins over the defaults, the environment over the file', () => {
    write('sip:\n  port: 5070\n  realm: file\nhttp:\n  port: 1\n');
    const config = load({ CALLREEL_SIP_PORT: '5080', CALLREEL_HTTP_PORT: '' });
    assert.deepEqual([config.sip.port, config.sip.realm, config.http.port], [5080, 'file', 1]);
  });

  test('CALLREEL_CONFIG names another file, which must exist', () => {
    write('drainSeconds: 7', 'other.yaml');
    assert.equal(load({ CALLREEL_CONFIG: 'other.yaml' }).drainSeconds, 7);
    assert.throws(() => load({ CALLREEL_CONFIG: 'missing.yaml' }), { code: 'CONFIG_UNREADABLE' });
  });

  test('variables of every kind', () => {
    const config = load({
      CALLREEL_ACCOUNT_ID: '0042',
      CALLREEL_CALLBACKS_ALLOW: '10.0.0.0/8, fd00::/8',
      CALLREEL_CALLBACKS_TIMEOUT_MS: '2500',
      CALLREEL_SIP_TRANSPORTS: 'tcp',
      CALLREEL_SIP_USERS: '[{"username": "1001", "password": "pw"}]',
      CALLREEL_RTP_PORTS: '30000-30999',
      CALLREEL_RECORDING_RATE_HZ: '16000',
      CALLREEL_RECORDING_LOSS_CONCEALMENT: 'off',
      CALLREEL_NUMBERS: '[{"number": "+1555", "onIncoming": "http://127.0.0.1:3000/"}]',
      DATABASE_URL: 'postgres://u:p@db/callreel',
      PATH: '/usr/bin',
    });
    assert.equal(config.accountId, '0042');
    assert.deepEqual(config.callbacks.allow, ['10.0.0.0/8', 'fd00::/8']);
    assert.equal(config.callbacks.timeoutMs, 2500);
    assert.deepEqual(config.sip.transports, ['tcp']);
    assert.equal(config.sip.users[0]?.password.reveal(), 'pw');
    assert.deepEqual(config.rtp.ports, { first: 30000, last: 30999 });
    assert.deepEqual(config.recording, { rateHz: 16000, lossConcealment: 'off', quality: 'on' });
    assert.equal(load().recording.lossConcealment, 'on');
    assert.equal(load().recording.files, undefined);
    assert.equal(config.numbers[0]?.number, '+1555');
    assert.equal(config.database.url?.reveal(), 'postgres://u:p@db/callreel');
  });

  test('files: none without a directory, and WAV of the mix with no more than that', () => {
    const directory = '/var/recordings';
    const files = (environment: Record<string, string>) => load(environment).recording.files;
    assert.deepEqual(files({ CALLREEL_RECORDING_FILES_DIRECTORY: directory }), {
      directory,
      format: 'wav',
      stereo: false,
    });
    const all = { DIRECTORY: directory, FORMAT: 'mp4', STEREO: 'true' };
    const environment = Object.entries(all).map(([key, value]) => [`CALLREEL_RECORDING_FILES_${key}`, value]);
    assert.deepEqual(files(Object.fromEntries(environment)), { directory, format: 'mp4', stereo: true });
    assert.throws(() => load({ CALLREEL_RECORDING_FILES_FORMAT: 'mp3' }), { code: 'CONFIG_INVALID' });
    assert.throws(
      () => load({ ...Object.fromEntries(environment), CALLREEL_RECORDING_FILES_FORMAT: 'ogg' }),
      {
        code: 'CONFIG_INVALID',
      },
    );
  });

  test('speech: a server, a program as a list or a line, under our names and the customary ones', () => {
    const { speech } = load();
    assert.deepEqual([speech.url, speech.command, speech.voice], [undefined, undefined, undefined]);
    const server = load({
      TTS_URL: 'http://10.0.0.5:8000',
      CALLREEL_SPEECH_KEY: 'k',
      CALLREEL_SPEECH_VOICE: 'nova',
    });
    assert.equal(server.speech.url, 'http://10.0.0.5:8000');
    assert.equal(server.speech.key?.reveal(), 'k');
    assert.equal(server.speech.voice, 'nova');
    const line = load({ TTS_CMD: 'espeak-ng  --stdout -v {locale}' });
    assert.deepEqual(line.speech.command, ['espeak-ng', '--stdout', '-v', '{locale}']);
    write('speech:\n  command: ["/opt/my voice/speak", "-q"]\n  timeoutMs: 3000\n');
    assert.deepEqual(load().speech.command, ['/opt/my voice/speak', '-q']);
    assert.equal(load().speech.timeoutMs, 3000);
  });

  test('a server that others reach allows no private callback address unless told', () => {
    assert.deepEqual(load({ CALLREEL_HTTP_HOST: '0.0.0.0' }).callbacks.allow, []);
    assert.deepEqual(load({ CALLREEL_HTTP_HOST: '::1' }).callbacks.allow, ['127.0.0.0/8', '::1/128']);
    const told = { CALLREEL_HTTP_HOST: '0.0.0.0', CALLREEL_CALLBACKS_ALLOW: '192.168.1.0/24' };
    assert.deepEqual(load(told).callbacks.allow, ['192.168.1.0/24']);
  });
});

describe('mistakes', () => {
  const lines = (environment: Record<string, string> = {}): string[] => {
    try {
      load(environment);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'CONFIG_INVALID');
      return (error as Error).message.split('\n');
    }
    return [];
  };

  test('an unknown setting is named with its line', () => {
    write('sip:\n  port: 5070\n  prot: 3\nsipp: 1\n');
    assert.deepEqual(lines().toSorted(), [
      'callreel.yaml:3: sip.prot: unknown setting',
      'callreel.yaml:4: sipp: unknown setting',
    ]);
    write('');
    assert.deepEqual(lines({ CALLREEL_SIP_PROT: '1' }), ['CALLREEL_SIP_PROT: unknown setting']);
  });

  test('a wrong value is named with its line or variable and what was expected', () => {
    write('rtp:\n  ports: 9-3\nnumbers:\n  - number: +1555\n');
    assert.deepEqual(lines({ CALLREEL_HTTP_PORT: 'abc', CALLREEL_LOG_LEVEL: 'loud' }).toSorted(), [
      'CALLREEL_HTTP_PORT: expected number',
      'CALLREEL_LOG_LEVEL: expected one of "trace"|"debug"|"info"|"warn"|"error"|"fatal"|"silent"',
      'callreel.yaml:2: rtp.ports: expected first-last with 1024 <= first < last <= 65535, or 0-0 for ports the system picks',
      'callreel.yaml:4: numbers.0.number: expected a text; put it in quotes',
    ]);
  });

  test('speech by a server and by a program at once, and by what is neither', () => {
    assert.deepEqual(lines({ TTS_URL: 'http://h/', TTS_CMD: 'say' }), [
      'TTS_CMD: expected url or command, not both',
    ]);
    write('speech:\n  command: 7\n  voice: "-x"\n');
    assert.deepEqual(lines().toSorted(), [
      'callreel.yaml:2: speech.command: expected a program and its arguments',
      'callreel.yaml:3: speech.voice: expected the name of a voice',
    ]);
  });

  test('a value never appears in the message: it may be a secret', () => {
    const message = lines({ CALLREEL_WEBHOOKS_SECRET: 'hunter2' }).join();
    assert.match(message, /CALLREEL_WEBHOOKS_SECRET: expected whsec_/);
    assert.doesNotMatch(message, /hunter2/);
  });

  test('what is not YAML is reported with its line', () => {
    write('sip:\n  port: 1\n  port: 2\n');
    assert.throws(() => load(), { code: 'CONFIG_UNREADABLE', where: 'callreel.yaml:3' });
    write('just a text');
    assert.throws(() => load(), { code: 'CONFIG_INVALID' });
  });
});

test('secrets show in no form of the configuration', () => {
  write('authToken: s3cret-a\nsip:\n  users:\n    - username: ann\n      password: s3cret-b\n');
  const config = load({
    DATABASE_URL: 'postgres://u:s3cret-c@db/',
    CALLREEL_WEBHOOKS_SECRET: `whsec_${Buffer.from('s3cret-d').toString('base64').repeat(4)}`,
  });
  const shown = [printConfig(config), inspect(config, { depth: 9 }), JSON.stringify(config)].join('\n');
  assert.doesNotMatch(shown, /s3cret|czNjcmV0/);
  assert.match(printConfig(config), /password: "\[redacted\]"/);
});

describe('what is printed can be a configuration file', () => {
  test('with every setting as it was', () => {
    const environments: Record<string, string>[] = [
      {},
      { CALLREEL_RTP_PORTS: '0-0', CALLREEL_HTTP_HOST: '0.0.0.0', CALLREEL_WORKERS: '2' },
      {
        CALLREEL_RTP_PORTS: '30000-30999',
        CALLREEL_NUMBERS: '[{"number": "1000", "defaultRoutine": [{"name": "HangUp"}]}]',
        CALLREEL_RECORDING_RATE_HZ: '16000',
        CALLREEL_CALLBACKS_ALLOW: '10.0.0.0/8,fd00::/8',
        TTS_CMD: 'espeak-ng --stdout -v {locale}',
      },
    ];
    for (const environment of environments) {
      const config = load(environment);
      write(printConfig(config), 'printed.yaml');
      assert.deepEqual(load({ CALLREEL_CONFIG: 'printed.yaml' }), config);
    }
  });

  test('but for the secrets, which it asks for', () => {
    const secrets = { CALLREEL_AUTH_TOKEN: 's3cret', DATABASE_URL: 'postgres://u:s3cret@db/' };
    write(printConfig(load(secrets)), 'printed.yaml');
    const again = { CALLREEL_CONFIG: 'printed.yaml' };
    assert.throws(() => load(again), {
      code: 'CONFIG_INVALID',
      message: /authToken: expected the secret itself/,
    });
    assert.equal(load({ ...again, ...secrets }).authToken?.reveal(), 's3cret');
  });
});
