/**
 *   npm run bench -- NAME [options]
 *
 * Each prints a table and, as its last line, one JSON object that begins with its name. `voidReason` is null, or why the
 * figures tell nothing; then, and where `shortcomings` says what went wrong, the exit code is 1.
 */
interface Result {
  voidReason?: string | null;
  shortcomings?: readonly string[];
}

const benches: Record<string, () => Promise<{ run(options: string[]): Promise<object> }>> = {
  calls: () => import('./calls.ts'),
  conference: () => import('./conference.ts'),
  deliver: () => import('./deliver.ts'),
  growth: () => import('./growth.ts'),
  peer: () => import('./peer.ts'),
  quality: () => import('./quality.ts'),
  'quality-cost': () => import('./quality-cost.ts'),
  ready: () => import('./ready.ts'),
  render: () => import('./render.ts'),
  saturate: () => import('./saturate.ts'),
  sip: () => import('./sip.ts'),
  soak: () => import('./soak.ts'),
  spool: () => import('./spool.ts'),
  tick: () => import('./tick.ts'),
  transcribe: () => import('./transcribe.ts'),
  transport: () => import('./transport.ts'),
};

const [name = '', ...options] = process.argv.slice(2);
const load = benches[name];
if (load && options.includes('--help')) {
  const usage = await (await load()).run(options).catch(({ message }: Error) => message);
  if (typeof usage === 'string') process.stdout.write(`${usage}\n`);
} else if (load) {
  const result: Result = await (await load()).run(options);
  const { voidReason = null, shortcomings = [] } = result;
  if (voidReason !== null) process.stderr.write(`void: ${voidReason}\n`);
  for (const shortcoming of shortcomings) process.stderr.write(`failed: ${shortcoming}\n`);
  if (voidReason !== null || shortcomings.length > 0) process.exitCode = 1;
  process.stdout.write(`${JSON.stringify({ bench: name, ...result, voidReason })}\n`);
} else {
  process.stderr.write(`npm run bench -- ${Object.keys(benches).join(' | ')}\n`);
  process.exitCode = 2;
}
