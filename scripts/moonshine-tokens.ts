/**
 *   node scripts/moonshine-tokens.ts
 *
 * Makes models/moonshine/tokens.txt, which sherpa-onnx wants and Moonshine's weights do not bring along: Moonshine's vocabulary is
 * LLaMA's (32,000 pieces) and special tokens up to 32,768. Each line is the piece's bytes in base64 and its number.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const vocabularyPackage = 'llama-tokenizer-js@1.2.2';
const tokens = 32_768;
/** Unknown, begin and end of text. */
const leadingSpecials = 3;

interface Tokenizer {
  default: { vocabById: string[] };
}

function bytesOf(piece: string): Buffer {
  const byte = /^<0x([\dA-F]{2})>$/i.exec(piece)?.[1];
  return byte === undefined ? Buffer.from(piece.replaceAll('\u2581', ' ')) : Buffer.from(byte, 'hex');
}

const folder = mkdtempSync(join(tmpdir(), 'moonshine-tokens-'));
try {
  execFileSync('npm', ['pack', vocabularyPackage, '--silent', '--ignore-scripts'], { cwd: folder });
  execFileSync('tar', ['-xzf', `${vocabularyPackage.replace('@', '-')}.tgz`], { cwd: folder });
  const tokenizer: Tokenizer = await import(
    pathToFileURL(join(folder, 'package', 'llama-tokenizer.js')).href
  );
  const { vocabById } = tokenizer.default;
  const lines = Array.from({ length: tokens }, (_, id) => {
    const piece = id < leadingSpecials ? undefined : vocabById[id];
    const bytes = piece === undefined ? Buffer.from(`<<ST_${id}>>`) : bytesOf(piece);
    return `${bytes.toString('base64')} ${id}\n`;
  });
  writeFileSync(new URL('../models/moonshine/tokens.txt', import.meta.url), lines.join(''));
} finally {
  rmSync(folder, { recursive: true });
}
