/** For tests only: an engine process without models. Speech is what is loud; the detector's file says what it does. */
import { writeSync } from 'node:fs';
import { ChannelDetector } from './channel-detector.ts';
import type { EngineCall, EngineSettings } from './engine-protocol.ts';
import { LoudnessDetector } from './test-detector.ts';

const settings = JSON.parse(process.argv[2] ?? '') as EngineSettings;
const behaviour = settings.detectorFile;
const tell = (message: unknown) => process.send?.(message);
let channel: ChannelDetector | undefined;

process.on('disconnect', () => process.exit(0));
switch (behaviour) {
  case 'never ready':
    break;
  case 'unusable':
    tell({ kind: 'unusable', what: 'no such model' });
    break;
  case 'unusable for memory':
    tell({ kind: 'unusable', what: 'std::bad_alloc' });
    break;
  case 'exit':
    writeSync(2, 'cannot read the tokens\n');
    process.exit(255);
    break;
  default:
    tell({ kind: 'ready' });
}

process.on('message', ({ id, request }: EngineCall) => {
  const reply = (result: unknown) => tell({ kind: 'reply', id, result });
  switch (request.verb) {
    case 'open':
      channel = new ChannelDetector(request.rateHz, new LoudnessDetector());
      return reply(undefined);
    case 'push':
      return reply(channel?.push(request.chunk));
    case 'end':
      return reply(channel?.end());
    case 'recognize':
      if (behaviour === 'hang') return undefined;
      if (behaviour === 'die') process.kill(process.pid, 'SIGKILL');
      if (behaviour === 'exhaust') return reply(allMemory().length);
      if (behaviour === 'complain')
        return tell({ kind: 'failure', id, what: 'Caught exception: wrong shape' });
      return reply(`pid ${process.pid}`);
  }
});

/** Until no more is given; it does not return. */
function allMemory(): ArrayBuffer[] {
  const taken: ArrayBuffer[] = [];
  for (;;) taken.push(new ArrayBuffer(2 ** 26));
}
