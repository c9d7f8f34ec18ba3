/** Ends the servers of the global set-up; they keep nothing. */
export default async function globalTeardown(): Promise<void> {
  await Promise.all((globalThis.retrainTestServers ?? []).map((server) => server.stop()));
}
