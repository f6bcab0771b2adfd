import { type Migration, Migrator } from 'kysely/migration';
import { CallreelError } from '../errors.ts';
import * as nouns from './migrations/0001-nouns.ts';
import * as trunks from './migrations/0002-trunks.ts';
import * as trunkOptions from './migrations/0003-trunk-options.ts';
import * as callLogs from './migrations/0004-call-logs.ts';
import * as nativeApi from './migrations/0005-native-api.ts';
import * as channelOrder from './migrations/0006-channel-order.ts';
import * as recorder from './migrations/0007-recorder.ts';
import * as files from './migrations/0008-files.ts';
import * as consent from './migrations/0009-consent.ts';
import * as applicationDialects from './migrations/0010-application-dialects.ts';
import * as deliveries from './migrations/0011-deliveries.ts';
import * as sinchApplications from './migrations/0012-sinch-applications.ts';
import * as transcripts from './migrations/0013-transcripts.ts';
import * as quality from './migrations/0014-quality.ts';
import * as backlogs from './migrations/0015-backlogs.ts';
import type { Db } from './schema.ts';

/** The schema all of our tables lie in, so that a shared server keeps them apart. */
export const schemaName = 'callreel';

/** Forward only; a name is never changed once it was released. */
const migrations: Record<string, Migration> = {
  '0001-nouns': nouns,
  '0002-trunks': trunks,
  '0003-trunk-options': trunkOptions,
  '0004-call-logs': callLogs,
  '0005-native-api': nativeApi,
  '0006-channel-order': channelOrder,
  '0007-recorder': recorder,
  '0008-files': files,
  '0009-consent': consent,
  '0010-application-dialects': applicationDialects,
  '0011-deliveries': deliveries,
  '0012-sinch-applications': sinchApplications,
  '0013-transcripts': transcripts,
  '0014-quality': quality,
  '0015-backlogs': backlogs,
};

/**
 * Brings the tables up to date. Kysely holds an advisory lock meanwhile: processes that start at once wait for the
 * first and find nothing left to do.
 * @throws CallreelError DATABASE_UNAVAILABLE
 */
export async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    migrationTableSchema: schemaName,
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed =
    results?.find((result) => result.status === 'Error')?.migrationName ?? 'the migrations table';
  throw new CallreelError('DATABASE_UNAVAILABLE', `migration failed at ${failed}`, { cause: error });
}
