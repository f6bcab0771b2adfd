import { ensureAllPackages } from './debian.ts';

await ensureAllPackages();
