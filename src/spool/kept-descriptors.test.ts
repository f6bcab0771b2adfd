import assert from 'node:assert/strict';
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KeptDescriptors, type OpenedFile } from './kept-descriptors.ts';

const directory = mkdtempSync(join(tmpdir(), 'callreel-kept-'));
after(() => rmSync(directory, { recursive: true }));

const opened = (name: string): number => openSync(join(directory, name), 'w');
const isOpen = (fd: number): boolean => {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
};

test('as many stay open as there is room for, the others are closed', () => {
  const kept = new KeptDescriptors(2);
  const files: OpenedFile[] = [{ fd: undefined }, { fd: undefined }, { fd: undefined }];
  const fds = files.map((file, index) => {
    const fd = opened(`${index}`);
    kept.keepOrClose(file, fd);
    return fd;
  });
  assert.deepEqual(fds.map(isOpen), [true, true, false]);
  assert.deepEqual(
    files.map(({ fd }) => fd),
    [fds[0], fds[1], undefined],
  );
  kept.keepOrClose(files[0]!, fds[0]!);
  assert.equal(kept.count, 2);

  kept.close(files[0]!);
  kept.close(files[0]!);
  assert.deepEqual([isOpen(fds[0]!), files[0]!.fd, kept.count], [false, undefined, 1]);
  const again = opened('again');
  kept.keepOrClose(files[2]!, again);
  assert.ok(isOpen(again));

  kept.closeAll();
  assert.deepEqual([isOpen(fds[1]!), isOpen(again), kept.count], [false, false, 0]);
});

test('by itself there is room for some of what the process may have open', () => {
  const kept = new KeptDescriptors();
  const file: OpenedFile = { fd: undefined };
  const fd = opened('one');
  kept.keepOrClose(file, fd);
  assert.equal(file.fd, fd);
  closeSync(fd);
});
