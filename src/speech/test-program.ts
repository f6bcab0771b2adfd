/** For tests only: a speech program. The text says what it does; it answers with a tone as a WAV file. */
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { toneWav } from '../playback/test-audio.ts';

const input = await text(process.stdin);
const [verb, value = ''] = input.split(' ', 2);
switch (verb) {
  case 'fail':
    console.error(`no model for ${process.argv.slice(2).join(' ')}`);
    process.exit(3);
    break;
  case 'hang':
    // A child of its own keeps the output open, as a shell script's would.
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', ...process.argv.slice(2)], {
      stdio: ['ignore', 'inherit', 'ignore'],
    });
    setInterval(() => undefined, 1000);
    writeSync(1, 'RIFF');
    break;
  case 'pour':
    for (;;) writeSync(1, Buffer.alloc(1_000_000));
  case 'noise':
    writeSync(1, 'this is not audio');
    break;
  case 'args':
    process.stdout.write(toneWav(process.argv.slice(2).join(' ').length * 100, 8000));
    break;
  case 'env':
    process.stdout.write(toneWav(process.env[value] === undefined ? 100 : 200, 8000));
    break;
  default:
    process.stdout.write(toneWav(Buffer.byteLength(input) * 100, 8000));
}
