import { readSecretFile } from './secret-file.ts';

const credentialsVariable = 'DESTINATION_CREDENTIALS';

export const credentialsOption = { 'credentials-file': { type: 'string' } } as const;

export const credentialsHelp = `  --credentials-file FILE  holds them; - reads them from the standard input. Without it they are those of the
                      variable ${credentialsVariable}, if it is set`;

/** @throws CallreelError FILE_UNUSABLE */
export function givenCredentials(file: string | undefined): string | undefined {
  return file === undefined ? process.env[credentialsVariable] || undefined : readSecretFile(file);
}
