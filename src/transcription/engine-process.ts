import { accessSync, constants, writeFileSync } from 'node:fs';
import { tone } from '../audio/tone.ts';
import { ChannelDetector } from './channel-detector.ts';
import { ComplaintReader } from './engine-complaints.ts';
import type { EngineCall, EngineMessage, EngineRequest, EngineSettings } from './engine-protocol.ts';
import { SherpaRecognizer, SileroDetector } from './sherpa-engine.ts';
import { recognizerRateHz, windowSamples } from './speech-segmenter.ts';

/**
 * An engine's process, started by `engine-host`: the native library ends its process over a file it cannot read, and
 * half a gigabyte of model is given back by ending. It does what it is asked, one thing at a time, and goes with the
 * server.
 */

/** Where memory is short, the kernel takes this process rather than one that records. */
try {
  writeFileSync('/proc/self/oom_score_adj', '1000');
} catch {
  // Not Linux.
}
process.on('disconnect', () => process.exit(0));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

function tell(message: EngineMessage): void {
  if (process.connected) process.send?.(message);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const complaints = new ComplaintReader(process.stderr.fd);
const settings = JSON.parse(process.argv[2] ?? '') as EngineSettings;
let channel: ChannelDetector | undefined;

/** A second of a hum, through everything: a file of another model is read, and fails only here. Silence would not do. */
function check(detector: SileroDetector, recognizer: SherpaRecognizer | undefined): void {
  const hum = tone({ frequencyHz: 400, levelDbov: -20, rateHz: recognizerRateHz }, recognizerRateHz);
  detector.accept(hum.subarray(0, windowSamples));
  recognizer?.recognize(hum);
}

function load(): (request: EngineRequest) => unknown {
  accessSync(settings.detectorFile, constants.R_OK);
  const detector = new SileroDetector(settings.detectorFile);
  const recognizer = settings.recognizer && new SherpaRecognizer(settings.recognizer.model);
  check(detector, recognizer);
  return (request) => {
    switch (request.verb) {
      case 'open':
        channel = new ChannelDetector(request.rateHz, detector);
        return undefined;
      case 'push':
        return channel?.push(request.chunk) ?? [];
      case 'end':
        return channel?.end() ?? [];
      case 'recognize':
        return recognizer?.recognize(request.samples) ?? '';
    }
  };
}

try {
  const perform = load();
  process.on('message', ({ id, request }: EngineCall) => {
    try {
      const result = perform(request);
      const complaint = complaints.next();
      tell(complaint ? { kind: 'failure', id, what: complaint } : { kind: 'reply', id, result });
    } catch (error) {
      tell({ kind: 'failure', id, what: describe(error) });
    }
  });
  const complaint = complaints.next();
  tell(complaint ? { kind: 'unusable', what: complaint } : { kind: 'ready' });
} catch (error) {
  tell({ kind: 'unusable', what: describe(error) });
}
