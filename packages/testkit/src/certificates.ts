import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { tempDir } from './tempDir.ts';

export interface Certificates {
  /** files in PEM: of the authority, of a server on 127.0.0.1, of a client, and of an authority that signed none of them */
  ca: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
  otherCa: string;
  remove(): void;
}

/** Makes certificates with openssl. @throws Error if openssl is missing or fails */
export function makeCertificates(): Certificates {
  const folder = tempDir('certificates');
  const at = (name: string) => join(folder.path, name);
  const openssl = (...args: string[]) => {
    const { status, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${error?.message ?? stderr}`);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = (name: string) => {
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)];
    openssl('req', '-x509', ...key, ...files, '-days', '2', '-subj', `/CN=${name}`);
  };
  const signed = (name: string) => {
    const [ca, caKey] = ['-CA', '-CAkey'].map((flag, i) => [flag, at(i === 0 ? 'ca.crt' : 'ca.key')]);
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)];
    const more = ['-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    openssl('req', '-x509', ...key, ...(ca ?? []), ...(caKey ?? []), ...files, ...more);
    return { cert: at(`${name}.crt`), key: at(`${name}.key`) };
  };
  authority('ca');
  authority('other');
  const [server, client] = [signed('server'), signed('client')];
  return { ca: at('ca.crt'), otherCa: at('other.crt'), server, client, remove: folder.remove };
}
