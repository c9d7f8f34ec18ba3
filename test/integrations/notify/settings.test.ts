import { inspect } from 'node:util';
import { channelsFrom } from '../../../integrations/notify/channels';
import { masked } from '../../../integrations/files/secret';
import { noticeSettings } from '../../../integrations/notify/settings';

const ALL = {
  SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/sl4ck',
  RETRAIN_WEBHOOK_URL: 'https://example.org/hook?key=h00k',
  RETRAIN_WEBHOOK_SECRET: 'long enough s3cret',
  SMTP_URL: 'smtps://ops:m41l@mail.example.org',
  RETRAIN_EMAIL_TO: 'a@example.org, Ops <b@example.org>',
};

test('an empty environment makes no channel', () => {
  expect(noticeSettings({ SLACK_WEBHOOK_URL: '', SMTP_URL: '' })).toEqual({});
  expect(channelsFrom({})).toEqual([]);
});

test('each set of variables makes its channel', () => {
  const settings = noticeSettings(ALL);
  expect(settings.email).toMatchObject({
    to: ['a@example.org', 'Ops <b@example.org>'],
    from: 'a@example.org',
  });
  expect(channelsFrom(settings).map(({ name }) => name)).toEqual(['slack', 'webhook', 'email']);
});

test('no way of printing the settings shows a secret', () => {
  const settings = noticeSettings(ALL);
  const { slack } = settings;
  const shown = [
    inspect(settings, { depth: 9, showHidden: true }),
    JSON.stringify(settings),
    String(slack?.url),
    `${inspect(slack)}`,
  ];
  for (const text of shown) expect(text).not.toMatch(/sl4ck|h00k|s3cret|m41l/);
});

test.each([
  [{ SLACK_WEBHOOK_URL: 'hooks.slack.com/sl4ck' }, /^SLACK_WEBHOOK_URL is no URL/],
  [{ SMTP_URL: 'http://ops:m41l@x', RETRAIN_EMAIL_TO: 'a@b.c' }, /^SMTP_URL is a http: URL, expected smtp:/],
  [{ SMTP_URL: 'smtp://x' }, /^RETRAIN_EMAIL_TO is not set/],
  [{ SMTP_URL: 'smtp://x', RETRAIN_EMAIL_TO: 'nobody' }, /^RETRAIN_EMAIL_TO holds "nobody"/],
  [{ RETRAIN_WEBHOOK_URL: 'https://x' }, /^RETRAIN_WEBHOOK_SECRET is not set/],
  [
    { RETRAIN_WEBHOOK_URL: 'https://x', RETRAIN_WEBHOOK_SECRET: 'short' },
    /^RETRAIN_WEBHOOK_SECRET has 5 characters/,
  ],
  [{ RETRAIN_WEBHOOK_URL: 'https://x', RETRAIN_WEBHOOK_SECRET: 'whsec_not base64 !!' }, /expected base64/],
])('a mistake is named and its value is not (%#)', (env, message) => {
  let caught: unknown;
  try {
    noticeSettings(env);
  } catch (error) {
    caught = error;
  }
  expect(caught).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) as string });
  expect((caught as Error).message).not.toMatch(/sl4ck|m41l|short/);
});

test('a masked text is one line, cut, with the longest secret masked first', () => {
  expect(masked('at https://u:pw12@h/x\n  pw12', ['pw12', 'https://u:pw12@h/x'])).toBe(
    'at [secret] [secret]',
  );
  expect(masked('y'.repeat(500), [])).toHaveLength(200);
});
