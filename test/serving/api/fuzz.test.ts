import fc from 'fast-check';
import { fuzzedRequest } from './fuzzed-bodies';
import { openApi, type OpenedApi } from './open-api';

let opened: OpenedApi;
beforeAll(async () => {
  opened = await openApi();
});
afterAll(() => opened.app.close());

test('whatever is sent, it is answered, as a problem or not, and never as a mistake of the server’s', async () => {
  await fc.assert(
    fc.asyncProperty(fuzzedRequest('sizes'), async ({ url, headers, body }) => {
      const response = await opened.app.inject({ method: 'POST', url, headers, payload: body });
      expect({ failed: response.statusCode >= 500, errors: opened.errors }).toEqual({
        failed: false,
        errors: [],
      });
      const said = response.json<Record<string, unknown>>();
      if (response.statusCode >= 400) {
        expect(response.headers['content-type']).toContain('application/problem+json');
        expect(said).toMatchObject({ status: response.statusCode, detail: expect.any(String) as string });
        expect(response.body.length).toBeLessThan(60_000);
      }
    }),
    { numRuns: 400 },
  );
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  const after = await opened.app.inject({ method: 'POST', url: '/predict', payload: { size: 1 } });
  expect(after.statusCode).toBe(200);
});
