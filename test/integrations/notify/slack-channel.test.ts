import { Secret } from '../../../integrations/files/secret';
import { slackChannel, slackMessage } from '../../../integrations/notify/slack-channel';
import { notice } from './notice';
import { receiver } from './receiver';

const never = new AbortController().signal;

interface Message {
  text: string;
  blocks: { type: string; text?: { type: string; text: string }; elements?: { text: string }[] }[];
}

test('a Slack-shaped server takes the message, whose text alone says it all', async () => {
  const server = await receiver((response, request) => {
    const { text } = JSON.parse(request.body) as Partial<Message>;
    const fits = request.headers['content-type']?.startsWith('application/json') && typeof text === 'string';
    if (fits === true) response.writeHead(200, { 'content-type': 'text/html' }).end('ok');
    else response.writeHead(400).end('invalid_payload');
  });
  await slackChannel(new Secret(`${server.url}/services/T0/B0/xyz`)).send(notice(), never);
  expect(server.received[0]?.path).toBe('/services/T0/B0/xyz');
  const { text } = JSON.parse(server.received[0]?.body ?? '') as Message;
  expect(text).toBe(
    [
      '*iris-classifier v4 is in production*',
      'Its accuracy is 0.9667, v3 has 0.9333.',
      'accuracy `0.9667`  f1_score `0.9666`',
      '<http://127.0.0.1:8233/wf?a=1&amp;b=2|Temporal>  <http://127.0.0.1:5000/#/experiments/1|MLflow>',
    ].join('\n'),
  );
  await server.close();
});

test('a name in the data cannot call everybody in the channel', () => {
  const { text, blocks } = slackMessage(notice({ text: 'unknown column <!channel> & more' })) as Message;
  expect(text).toContain('unknown column &lt;!channel&gt; &amp; more');
  expect(JSON.stringify(blocks)).not.toContain('<!channel>');
  // Nor does an address in one become a link.
  for (const block of blocks) expect(block.text ?? block.elements?.[0]).toHaveProperty('verbatim', true);
});

test('a failure without metrics and links is one paragraph, and no block is longer than Slack allows', () => {
  const { metrics: _metrics, ...failure } = notice({ kind: 'failure', text: 'x'.repeat(9000), links: {} });
  const { blocks } = slackMessage(failure) as Message;
  expect(blocks).toHaveLength(2);
  for (const block of blocks) expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3000);
});

test('Slack’s refusal is passed on without the webhook’s secret URL', async () => {
  const server = await receiver((response) => response.writeHead(404).end('no_service'));
  const error = (await slackChannel(new Secret(`${server.url}/services/T0/B0/xyz`))
    .send(notice(), never)
    .catch((caught: unknown) => caught)) as Error;
  expect(error).toMatchObject({ code: 'NOTIFIER_REFUSED', retryable: false });
  expect(error.message).toBe(
    `slack: ${server.url} answered 404 (no_service), expected 2xx; check SLACK_WEBHOOK_URL`,
  );
  await server.close();
});
