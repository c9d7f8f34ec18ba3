import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes ca.pem, and server-*.pem and client *.pem that it signed, as https://docs.docker.com/engine/security/protect-access/ has it, with
 * openssl.
 */
export function makeCertificates(dir: string): void {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  };
  const key = (file: string): void =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file);
  key('ca-key.pem');
  openssl(
    ...['req', '-x509', '-new', '-key', 'ca-key.pem', '-days', '2', '-subj', '/CN=test ca', '-out', 'ca.pem'],
  );
  const signed = (prefix: string, extensions: string): void => {
    key(`${prefix}key.pem`);
    openssl('req', '-new', '-key', `${prefix}key.pem`, '-subj', '/CN=test', '-out', 'request.pem');
    writeFileSync(path.join(dir, 'extensions.txt'), extensions);
    openssl(
      ...['x509', '-req', '-in', 'request.pem', '-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial'],
      ...['-days', '2', '-extfile', 'extensions.txt', '-out', `${prefix}cert.pem`],
    );
  };
  signed('server-', 'subjectAltName = IP:127.0.0.1\nextendedKeyUsage = serverAuth\n');
  signed('', 'extendedKeyUsage = clientAuth\n');
}
