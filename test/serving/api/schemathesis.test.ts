import { type AddressInfo } from 'node:net';
import { openModel } from '../../../serving/model/open-model';
import { describeWith } from '../../tools/needs';
import { penguinModel } from '../model/model-folder';
import { FACTS } from '../small-model';
import { openApi } from './open-api';
import { isNightly } from '../../tools/nightly';
import { judge } from './schemathesis';

/** Of its own invention for each operation, beside those at the edges of what the document bounds. */
const EXAMPLES = isNightly ? 60 : 8;

jest.setTimeout(180_000);

describeWith('schemathesis')('schemathesis holds the API against its OpenAPI document', () => {
  test('every answer is as the document says, and nothing is taken that it forbids', async () => {
    const { dir, records } = await penguinModel('classification');
    const model = await openModel(dir);
    const { app, errors } = await openApi({ adminToken: 'let-me-in' }, model, undefined, {
      example: records.slice(0, 1),
    });
    try {
      await app.listen({ host: '127.0.0.1', port: 0 });
      const { port } = app.server.address() as AddressInfo;
      const token = ['--header', 'X-Admin-Token: let-me-in'];
      const url = `http://127.0.0.1:${port}`;
      const sizes = { name: FACTS.name, version: FACTS.version };
      const { code, said, requests } = await judge(url, sizes, EXAMPLES, token);
      expect(errors).toEqual([]);
      expect({ code, said: code === 0 ? '' : said }).toEqual({ code: 0, said: '' });
      expect(requests).toBeGreaterThan(800);
    } finally {
      await app.close();
      await model.close();
    }
  });
});
