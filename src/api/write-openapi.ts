import { writeFileSync } from 'node:fs';
import { nativeDocument } from './native-document.ts';

/** `npm run openapi`: what docs/openapi.json has to be. */
writeFileSync(
  new URL('../../docs/openapi.json', import.meta.url),
  `${JSON.stringify(nativeDocument(), undefined, 2)}\n`,
);
