import { testLoadStreams } from '../../bench/capacity/test-load-streams.ts';
import { ensurePackages } from './debian.ts';

/** Never skipped, unlike in `npm test`, which has to do without a compiler. */
testLoadStreams({ prepare: () => ensurePackages('gcc', 'libc6-dev') });
