import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { loadConfig } from '../config.ts';
import { type AudioFileFormat, audioFileFormats } from '../container/audio-file.ts';
import { CallreelError } from '../errors.ts';
import { recordingView } from '../render/recording-view.ts';
import { openRendition, type RenditionRequest } from '../render/rendition.ts';
import { writeRendition } from '../render/rendition-file.ts';
import { type MasterKey, masterKeyPath, readMasterKey } from '../spool/keys.ts';
import { openManifest, type SpoolRecording } from '../spool/reader.ts';
import { type Command, oneOf, parseCommandLine, required } from './command.ts';
import { print, printTable } from './output.ts';

export const spoolCommands: Command[] = [
  {
    words: ['spool', 'export'],
    summary: 'audio from a bare spool: no server, no database',
    usage: 'MANIFEST --out DIR [--master-key FILE] [--format wav|mp3|mp4] [--loss-concealment on|off]',
    details: `  MANIFEST             <data directory>/spool/<conversation id>/<recording id>.rec, its .seg files beside it
  --out DIR            made if it is not there
  --master-key FILE    unless given, keys/master.key of the spool's own data directory, then of the configuration's
  --format wav|mp3|mp4  wav unless given
  --loss-concealment on|off  on unless given; off: lost packets are silence`,
    async run(args) {
      const { values, positionals } = parseCommandLine(
        args,
        {
          out: { type: 'string' },
          'master-key': { type: 'string' },
          format: { type: 'string' },
          'loss-concealment': { type: 'string' },
        },
        ['MANIFEST'],
      );
      const format = oneOf(values.format, 'format', audioFileFormats) ?? 'wav';
      const lossConcealment = oneOf(values['loss-concealment'], 'loss-concealment', ['on', 'off']) ?? 'on';
      const outDir = required(values.out, 'out');
      const manifest = resolve(positionals[0]!);
      const recording = openManifest(manifest, findMasterKey(manifest, values['master-key']));
      makeDir(outDir);
      await exportRecording(recording, outDir, { format, lossConcealment });
    },
  },
];

async function exportRecording(
  recording: SpoolRecording,
  outDir: string,
  { format, lossConcealment }: { format: AudioFileFormat; lossConcealment: 'on' | 'off' },
): Promise<void> {
  const { header, tracks, end } = recording;
  const damaged = new Map<string, CallreelError>();
  const view = {
    ...recordingView(recording, (trackId, error) => damaged.set(trackId, error)),
    ...(lossConcealment === 'off' && { lossConcealment }),
  };
  const write = async (request: RenditionRequest, name: string) => {
    const file = join(outDir, `${name}.${format}`);
    const rendition = openRendition(view, request);
    await writeRendition(rendition, file);
    return [file, (rendition.samples / rendition.rateHz).toFixed(3)];
  };
  const rows = [
    [...(await write({ kind: 'mix', format }, `${header.recordingId}-mix`)), 'everybody', null, null],
  ];
  for (const { trackId, party } of tracks) {
    const name = `${header.recordingId}-${trackId}`;
    const written = await write({ kind: 'channel', format, trackId }, name);
    rows.push([...written, party.from, party.to, party.connectionId]);
  }
  printTable(['FILE', 'SECONDS', 'FROM', 'TO', 'CONNECTION ID'], rows);
  if (!end)
    print('The recording has no end yet: this is what was on disk. A server that starts on it finishes it.');
  for (const [trackId, error] of damaged) print(`Silent from its damage on: ${trackId} (${error.message})`);
  if (damaged.size > 0)
    throw new CallreelError('SPOOL_CORRUPT', 'parts of the recording could not be read', {
      where: [...damaged.keys()].join(' '),
    });
}

/** Reads one and makes none: a new key opens nothing. */
function findMasterKey(manifest: string, named: string | undefined): MasterKey {
  const beside = masterKeyPath(dirname(dirname(dirname(manifest))));
  const file = named ?? (existsSync(beside) ? beside : masterKeyPath(loadConfig().dataDir));
  try {
    return readMasterKey(file);
  } catch (cause) {
    if (cause instanceof CallreelError) throw cause;
    throw new CallreelError('SPOOL_KEY_MISSING', `there is no master key at ${file}`, { where: file, cause });
  }
}

function makeDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (cause) {
    throw new CallreelError('FILE_UNUSABLE', `the directory ${dir} cannot be made`, { where: dir, cause });
  }
}
