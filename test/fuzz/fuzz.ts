import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { type CampaignReport, runCampaign } from './campaign.ts';
import { writeCorpus, writeFinding } from './corpus.ts';
import { targets } from './target.ts';

/** `npm run fuzz -- [target ...] [--minutes 10] [--seed 1] [--save] [--missed] [--findings folder]` */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    save: { type: 'boolean', default: false },
    missed: { type: 'boolean', default: false },
    findings: { type: 'string', default: `${tmpdir()}/callreel-fuzz` },
  },
});

const unknown = positionals.filter((name) => !Object.hasOwn(targets, name));
if (unknown.length > 0)
  throw new Error(`no such target: ${unknown.join(', ')}; there are ${Object.keys(targets)}`);

for (const target of positionals.length > 0 ? positionals : Object.keys(targets)) {
  const report = await runCampaign({
    target,
    seed: Number(values.seed),
    seconds: Number(values.minutes) * 60,
    distils: values.save,
  });
  print(report);
  if (values.save && report.distilled.length > 0) writeCorpus(target, report.distilled);
  if (report.findings.length > 0) process.exitCode = 1;
}

function print(report: CampaignReport): void {
  const { target, executions, seconds, findings, coverage, missed, slowest, kept, grown } = report;
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(
    `${target}: ${executions} inputs in ${seconds.toFixed(0)} s, ${kept} kept, slowest ${slowest.cpuMs.toFixed(1)} ms` +
      ` (${slowest.bytes} bytes), ${(grown / 1024).toFixed(0)} KiB grown, ${findings.length} findings`,
  );
  for (const { file, functions, branches } of coverage)
    say(
      `  ${file.padEnd(40)} functions ${functions.hit}/${functions.all}, branches ${branches.hit}/${branches.all}`,
    );
  if (values.missed) for (const place of missed) say(`  missed ${place}`);
  for (const { kind, message, input } of findings)
    say(`  ${kind}: ${message}\n    ${writeFinding(values.findings, target, input)} (${input.length} bytes)`);
}
