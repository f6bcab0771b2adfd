import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TemporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);

export interface Certificate {
  /** PEM files. */
  certFile: string;
  keyFile: string;
}

/** A self-signed certificate for 127.0.0.1 and localhost, which is its own authority. */
export async function selfSigned(folder: TemporaryFolder, name: string): Promise<Certificate> {
  const certificate = { certFile: folder.file(`${name}.crt`), keyFile: folder.file(`${name}.key`) };
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes'],
    ...['-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ...['-keyout', certificate.keyFile, '-out', certificate.certFile],
  ]);
  return certificate;
}
